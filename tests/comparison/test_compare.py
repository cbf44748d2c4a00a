"""The comparison as a whole, against the same done by hand."""

from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import sklearn.decomposition
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_diabetes
from sklearn.decomposition import KernelPCA
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import narrows
from narrows import PCA, Autoencoder, compare
from narrows.comparison import Comparison

iris = narrows.datasets.iris()
X, y = iris.drop(columns="Species"), iris["Species"]
FAST = {"probes": "neighbours", "resampling": "5x1", "seeds": 2, "random_state": 0}
NETWORK = {"encoder": (8,), "epochs": 3}


def run(arms=None, X=X, y=y, **options):
    return compare(arms or {"pca": PCA(2)}, X, y, **{**FAST, "controls": (), **options})


@pytest.fixture(scope="module")
def whole() -> Comparison:
    arms = {"pca": PCA(2), "autoencoder": Autoencoder(**NETWORK)}
    return run(arms, controls=("raw", "random", "untrained"), probes=("neighbours", "logistic"))


def scores(found: Comparison, **where):
    frame = found.frame()
    for name, value in where.items():
        frame = frame[frame[name] == value]
    return frame["value"].to_numpy()


# What is computed


def test_every_arm_is_scored_everywhere(whole):
    frame = whole.frame()
    accuracies = frame[frame["measure"] == "accuracy"]
    counts = accuracies.groupby(["arm", "preprocess", "probe"]).size().unstack("arm")
    assert counts.shape == (4, 5)
    assert (counts[["pca", "raw columns"]] == 5).all(axis=None)  # nothing to seed
    assert (counts[["autoencoder", "random projection", "untrained encoder"]] == 10).all(axis=None)
    assert not frame["value"].isna().any()
    assert whole.failures.empty
    assert whole.controls == ["raw columns", "random projection", "untrained encoder"]


@pytest.mark.parametrize("preprocess", ["none", "standardize"])
def test_pca_equals_the_same_by_hand(whole, preprocess):
    expected = []
    for train, test in whole.resamples:
        scaler = StandardScaler(with_mean=preprocess != "none", with_std=preprocess != "none")
        a, b = (scaler.fit(X.iloc[train]).transform(X.iloc[rows]) for rows in (train, test))
        pca = sklearn.decomposition.PCA(2).fit(a)
        probe = KNeighborsClassifier(5).fit(pca.transform(a), y.iloc[train])
        expected.append(probe.score(pca.transform(b), y.iloc[test]))
    found = scores(whole, arm="pca", preprocess=preprocess, probe="neighbours", measure="accuracy")
    np.testing.assert_allclose(found, expected)


def test_the_autoencoder_equals_separate_fits_by_hand(whole):
    from narrows.comparison.running._design import SeedSource

    seeds, errors = SeedSource(0), []
    for number, (train, test) in enumerate(whole.resamples):
        seed = seeds.get("autoencoder", "none", number, 1)
        embedder = Autoencoder(**NETWORK, random_state=seed).fit(X.iloc[train])
        errors.append(embedder.reconstruction_error(X.iloc[test]).mean())
    found = scores(
        whole, arm="autoencoder", preprocess="none", seed=1, measure="reconstruction_error"
    )
    np.testing.assert_allclose(found, errors, rtol=1e-3)


def test_the_untrained_encoder_is_what_the_autoencoder_starts_from():
    plain = {"encoder": (8,), "residual": False, "epochs": 1}
    still = Autoencoder(**plain, optimizer="sgd", learning_rate=1e-30)
    found = run({"autoencoder": still}, controls=("untrained",), preprocess="none")
    measure = {"measure": "trustworthiness"}
    np.testing.assert_allclose(
        scores(found, arm="untrained encoder", **measure),
        scores(found, arm="autoencoder", **measure),
    )


class Recorder(TransformerMixin, BaseEstimator):
    """Remembers what it was fitted on."""

    seen: ClassVar[list] = []

    def fit(self, X, y=None):
        assert y is None
        self.seen.append(np.array(X))
        return self

    def transform(self, X):
        return X[:, :2]


def test_everything_is_fitted_on_training_rows_alone_and_never_sees_labels():
    Recorder.seen = []
    found = run({"recorder": Recorder()}, preprocess="standardize", n_jobs=1)
    assert len(Recorder.seen) == 5
    for (train, _), rows in zip(found.resamples, Recorder.seen, strict=True):
        np.testing.assert_allclose(rows, StandardScaler().fit_transform(X.iloc[train]))


def test_without_refitting_all_rows_are_seen_once_and_the_result_says_so():
    Recorder.seen = []
    found = run({"recorder": Recorder()}, preprocess="none", refit=False, n_jobs=1)
    assert [len(rows) for rows in Recorder.seen] == [150]
    assert "ONCE ON ALL ROWS" in repr(found)
    assert "ONCE ON ALL ROWS" not in repr(run())


def test_autoencoders_without_refitting():
    found = run({"autoencoder": Autoencoder(**NETWORK)}, refit=False, preprocess="none")
    assert len(scores(found, measure="accuracy")) == 10


def test_labels_that_tell_nothing_score_as_chance():
    rng = np.random.default_rng(0)
    found = run(X=rng.normal(size=(300, 4)), y=rng.integers(0, 2, 300), resampling="5x2")
    assert 0.4 < found.summary().query("measure == 'accuracy'")["mean"].mean() < 0.6


def test_a_pipeline_that_ends_in_an_autoencoder_is_trained_in_lanes_too():
    embedder = Autoencoder(**NETWORK)
    found = run({"scaled": make_pipeline(StandardScaler(), embedder)}, preprocess="none")
    plain = run({"scaled": embedder}, preprocess="standardize")
    for measure in ("accuracy", "trustworthiness"):
        expected = scores(plain, measure=measure)
        assert len(expected) == 10
    # Other seeds (they go by the preprocessing's name), the same distribution.
    assert (
        abs(scores(found, measure="accuracy").mean() - scores(plain, measure="accuracy").mean())
        < 0.2
    )


def test_any_transformer_is_an_arm_and_each_fit_has_its_own_seed():
    from sklearn.random_projection import GaussianRandomProjection

    arms = {
        "kernel": KernelPCA(2, kernel="rbf"),
        "random": make_pipeline(StandardScaler(), GaussianRandomProjection(2)),
    }
    found = run(arms, preprocess="none", seeds=3)
    assert len(scores(found, arm="random", measure="trustworthiness")) == 15
    assert len(np.unique(scores(found, arm="random", measure="trustworthiness"))) > 10


def test_numbers_are_judged_by_r2():
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    found = run(X=X, y=y, probes=("ridge", Ridge(1e-9)), preprocess="standardize", quality=False)
    assert found.measure == "r2"
    expected = []
    for train, test in found.resamples:
        pca = make_pipeline(StandardScaler(), sklearn.decomposition.PCA(2)).fit(X.iloc[train])
        ridge = Ridge(1e-9).fit(pca.transform(X.iloc[train]), y.iloc[train])
        expected.append(r2_score(y.iloc[test], ridge.predict(pca.transform(X.iloc[test]))))
    np.testing.assert_allclose(scores(found, probe="Ridge", measure="r2"), expected, rtol=1e-6)


def test_mixed_tables_with_gaps():
    table = X.assign(
        colour=np.where(np.arange(150) % 3 == 0, "red", None),
        flag=np.arange(150) % 2 == 0,
    )
    table.loc[3, "Sepal.Length"] = np.nan
    arms = {"pca": PCA(2), "autoencoder": Autoencoder(**NETWORK)}
    found = run(arms, X=table, preprocess=("none", MinMaxScaler()), controls=("raw",))
    failed = found.failures["preprocess"].unique()
    assert failed.tolist() == ["MinMaxScaler"]  # which cannot take text
    assert found.frame()["preprocess"].unique().tolist() == ["none"]


def test_columns_may_be_named_by_numbers():
    iris = narrows.datasets.iris()
    X, y = iris.drop(columns="Species"), iris["Species"]
    settings = {"resampling": "holdout:0.8x2", "probes": "neighbours", "random_state": 1}
    named, numbered = (
        narrows.compare({"pca": narrows.PCA(2)}, rows, y, **settings).frame()
        for rows in (X, pd.DataFrame(X.to_numpy()))
    )
    pd.testing.assert_frame_equal(named, numbered)


# What mixed tables must have


@pytest.mark.filterwarnings("ignore:TablePreprocessor keeps constant:UserWarning")
def test_columns_that_are_empty_in_some_resample_are_named_before_training():
    table = repeated(60, c=["p", "q", "r"] * 20)
    table["rarely"] = np.where(np.arange(60) == 7, 1.5, np.nan)
    with pytest.raises(ValueError, match=r"Column 'rarely', .* values in 1 of 60 rows.* 1 of 5"):
        run(X=table, y=["u", "v"] * 30, preprocess=("none", "standardize"))
    mine = {"mine": narrows.TablePreprocessor(), "other": Numbers()}
    found = run(X=table, y=["u", "v"] * 30, preprocess=mine)
    assert list(found.failures["preprocess"]) == ["mine"]


def test_infinite_values_of_a_mixed_table_are_counted_in_the_whole_of_it():
    table = repeated(60, c=["p", "q", "r"] * 20).astype({"a": float})
    table.loc[[3, 9], "a"] = np.inf
    with pytest.raises(ValueError, match=r"Got 2 infinite .* row 3 .*column 'a'"):
        run(X=table, y=["u", "v"] * 30)


class Numbers(TransformerMixin, BaseEstimator):
    """Takes the two columns that have numbers everywhere."""

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X[["a", "b"]].to_numpy()


# What is warned of


def repeated(n: int, **more) -> pd.DataFrame:
    """Return a table with a constant column in its middle."""
    return pd.DataFrame({"a": np.arange(n) % 7, "flat": 0.1, "b": np.arange(n) % 5, **more})


@pytest.mark.parametrize("mixed", [False, True])
def test_constant_columns_are_named_once_for_all_resamples(mixed):
    table = repeated(60, **({"c": ["p", "q", "r"] * 20} if mixed else {}))
    with pytest.warns(
        UserWarning, match=r"constant columns at zero.* cannot be scaled: 'flat'\."
    ) as w:
        run(X=table, y=["u", "v"] * 30, preprocess=("none", "standardize"))
    assert len(w) == 1
    assert w[0].filename == __file__
    assert "'standardize'" in str(w[0].message) or mixed


def test_columns_without_names_are_counted():
    with pytest.warns(UserWarning, match="under 'standardize'.*: 'x1'"):
        run(X=repeated(60).to_numpy(), y=["u", "v"] * 30)


@pytest.mark.filterwarnings("error")
def test_constant_columns_are_no_matter_as_they_are():
    run(X=repeated(60), y=["u", "v"] * 30, preprocess="none")


def test_rare_levels_are_told_of_once():
    table = repeated(250, name=[f"n{i}" for i in range(125)] * 2).drop(columns="flat")
    with pytest.warns(UserWarning, match="'name' has 125 levels, more than max_levels=100") as w:
        run(X=table, y=["u", "v"] * 125, resampling="3x1")
    assert len(w) == 1
