"""Arms and probes beside each other: none disturbs another, and what fails is named."""

import numpy as np
import pandas as pd
import pytest
import sklearn.decomposition
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import narrows
from narrows import PCA, Autoencoder, compare
from narrows.comparison.running._design import SeedSource

iris = narrows.datasets.iris()
X, y = iris.drop(columns="Species"), iris["Species"]
NETWORK = Autoencoder(encoder=(8,), epochs=3)


def run(arms, X=X, y=y, **options):
    settings = {
        "probes": "neighbours", "resampling": "5x1", "seeds": 1, "random_state": 0,
        "controls": (), "preprocess": "none",
    }  # fmt: skip
    return compare(arms, X, y, **{**settings, **options})


def scores(found, arm, measure="accuracy"):
    frame = found.frame()
    return frame.query("arm == @arm and measure == @measure")["value"].to_numpy()


class Embedder(TransformerMixin, BaseEstimator):
    """Two columns, and something wrong with them."""

    def __init__(self, how):
        self.how = how

    def fit(self, X, y=None):
        self.centre_ = X.mean()
        return self

    def transform(self, X):
        Z = np.array(X[:, :2])
        if self.how == "short":
            return Z[:-1]
        if self.how == "one more":
            return np.concatenate([Z, Z[:1]])
        if self.how == "gaps":
            Z[0] = np.nan
        return Z


# Errors in the units of the prepared columns


def test_the_error_of_a_pipeline_is_in_the_units_of_its_input():
    pipeline = make_pipeline(StandardScaler(), NETWORK)
    found = run({"pipeline": pipeline}, X=X * 1000)
    seed = SeedSource(0).get("pipeline", "none", 0, 0)
    train, test = found.resamples.pairs[0]
    rows = X.to_numpy() * 1000
    fitted = make_pipeline(StandardScaler(), Autoencoder(encoder=(8,), epochs=3, random_state=seed))
    fitted.fit(rows[train])
    rebuilt = fitted.inverse_transform(fitted.transform(rows[test]))
    expected = np.mean((rebuilt - rows[test]) ** 2)
    got = scores(found, "pipeline", "reconstruction_error")[0]
    np.testing.assert_allclose(got, expected, rtol=1e-3)


def test_a_pipeline_without_a_way_back_has_no_error():
    found = run({"pipeline": make_pipeline(Embedder("nothing"), NETWORK)})
    assert not len(scores(found, "pipeline", "reconstruction_error"))
    assert len(scores(found, "pipeline")) == 5


# Nobody disturbs another


@pytest.mark.parametrize(
    "in_place",
    [StandardScaler(copy=False), sklearn.decomposition.PCA(2, copy=False, svd_solver="full")],
    ids=["scaler", "pca"],
)
def test_an_arm_that_works_in_place_changes_no_other_arm(in_place):
    alone = run({"pca": PCA(2)}, controls=("raw",), n_jobs=1)
    beside = run({"in place": in_place, "pca": PCA(2)}, controls=("raw",), n_jobs=1)
    for arm in ("pca", "raw columns"):
        for measure in ("accuracy", "trustworthiness"):
            got = scores(beside, arm, measure)
            np.testing.assert_array_equal(got, scores(alone, arm, measure))
    assert scores(beside, "in place").min() > 0.8


def test_steps_and_probes_that_work_in_place_change_nothing():
    probe = make_pipeline(StandardScaler(copy=False), LogisticRegression(max_iter=2000))
    arms = {"network": make_pipeline(StandardScaler(copy=False), NETWORK), "pca": PCA(2)}
    found = run(arms, probes={"a": probe, "b": "neighbours"}, n_jobs=1)
    alone = run({"pca": PCA(2)})
    frame = found.frame()
    got = frame.query("arm == 'pca' and probe == 'b' and measure == 'accuracy'")["value"]
    np.testing.assert_array_equal(got, scores(alone, "pca"))


# What fails is named, and the others go on


@pytest.mark.parametrize(("how", "rows"), [("short", 119), ("one more", 121)])
def test_an_embedding_of_other_rows_fails_alone(how, rows):
    found = run({"pca": PCA(2), "other": Embedder(how)}, quality=False)
    assert set(found.failures["arm"]) == {"other"}
    assert (
        found.failures["message"].str.contains(f"must have as many rows.*Got shape \\({rows}").any()
    )
    assert len(scores(found, "pca")) == 5


def test_an_embedding_with_gaps_is_for_the_probes_to_take():
    found = run({"pca": PCA(2), "gaps": Embedder("gaps")}, probes="logistic")
    assert set(found.failures["arm"]) == {"gaps"}
    assert found.failures["message"].str.contains("NaN").all()
    assert len(scores(found, "pca")) == 5


def test_arms_that_cope_with_gaps_are_compared():
    gaps = X.copy()
    gaps.loc[3, "Petal.Width"] = np.nan
    arms = {how: make_pipeline(SimpleImputer(strategy=how), PCA(2)) for how in ("mean", "median")}
    found = run(arms, X=gaps, preprocess=FunctionTransformer())
    assert found.failures.empty
    assert len(scores(found, "mean")) == 5
    # Distances of the row with the gap are none: quality is left out in the resample that tests it.
    assert len(scores(found, "mean", "trustworthiness")) == 4


class Odd(RegressorMixin, BaseEstimator):
    """Predicts the mean, and one number that is none where that is large."""

    def __init__(self, bad):
        self.bad = bad

    def fit(self, Z, y):
        self.mean_ = y.mean()
        return self

    def predict(self, Z):
        found = np.full(len(Z), self.mean_)
        if self.mean_ > 3.75:
            found[0] = self.bad
        return found


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_predictions_that_are_no_numbers_fail(bad):
    labels = X["Petal.Length"]
    found = run({"pca": PCA(2)}, X=X.drop(columns="Petal.Length"), y=labels, probes=Odd(bad))
    lost = [labels.iloc[train].mean() > 3.75 for train, _ in found.resamples]
    assert 0 < sum(lost) < 5
    assert list(found.failures["resample"]) == list(np.flatnonzero(lost))
    assert found.failures["message"].str.contains("must predict finite numbers. Got 1 of 30").all()


@pytest.mark.long
def test_sparse_preprocessing_and_steps_are_made_dense():
    table = pd.DataFrame({"a": list("pqr") * 50, "b": list("uuvvw") * 30})
    encoder = OneHotEncoder(handle_unknown="ignore")
    given = run({"pca": PCA(2), "network": NETWORK}, X=table, preprocess={"one hot": encoder})
    assert given.failures.empty
    arms = {"step": make_pipeline(encoder, NETWORK)}
    assert run(arms, X=X.round().astype(int)).failures.empty


class Fails(TransformerMixin, BaseEstimator):
    """Cannot learn from a table whose first number is small."""

    def fit(self, X, y=None):
        if X[0, 0] < 5:
            raise RuntimeError("too small")
        self.fitted_ = True
        return self

    def transform(self, X):
        return X


def test_a_preprocessing_that_fails_in_one_resample_fails_there_only():
    rows = X.to_numpy()
    found = run({"pca": PCA(2), "network": NETWORK}, preprocess={"mine": Fails()})
    lost = [number for number, (train, _) in enumerate(found.resamples) if rows[train][0, 0] < 5]
    assert 0 < len(lost) < 5
    assert list(found.failures["resample"]) == lost * 2
    assert len(scores(found, "pca")) == 5 - len(lost)


def test_a_step_before_a_network_that_fails_in_one_resample_fails_there_only():
    found = run({"pca": PCA(2), "network": make_pipeline(Fails(), NETWORK)})
    assert set(found.failures["arm"]) == {"network"}
    assert len(scores(found, "network")) + len(found.failures) == 5
    assert 0 < len(found.failures) < 5
