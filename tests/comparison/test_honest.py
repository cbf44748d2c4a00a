import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline
from sklearn.random_projection import GaussianRandomProjection

from narrows.comparison import (
    Forest,
    HonestArms,
    accuracy,
    bootstrap,
    corrected_interval,
    honest_arms,
)
from narrows.comparison._seeds import Seeds
from narrows.data import iris
from narrows.embedders._pca import PCA


@pytest.fixture
def data():
    table = iris()
    return table.iloc[:, :4], table["Species"]


@pytest.fixture
def drawn():
    return bootstrap(150, times=4, random_state=0)


class Recorder(TransformerMixin, BaseEstimator):
    """Keeps the first two columns and notes what it was given."""

    seen: list = []  # noqa: RUF012 (shared on purpose: clones must write here too)

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X, y=None):
        self.seen.append((self.random_state, X, y))
        return self

    def transform(self, X):
        return X[:, :2]


class Together(Recorder):
    """Learns all resamples in one call."""

    calls: list = []  # noqa: RUF012

    def fit_resamples(self, Xs, seeds):
        self.calls.append((Xs, seeds))
        return [Recorder() for _ in Xs]


@pytest.fixture(autouse=True)
def forget():
    Recorder.seen.clear()
    Together.calls.clear()


def test_scores_equal_a_comparison_by_hand(data, drawn):
    X, y = data
    arms = {"pca": PCA(standardize=False)}
    found = honest_arms(arms, X, y, resamples=drawn, trees=50, random_state=3).frame()
    X, y = X.to_numpy(), y.to_numpy()
    for preprocess in ("none", "standardize"):
        mine = []
        for j, (train, test) in enumerate(drawn):
            mean, deviation = X[train].mean(axis=0), X[train].std(axis=0)
            if preprocess == "none":
                mean, deviation = 0, 1
            pca = PCA(standardize=False).fit((X[train] - mean) / deviation)
            Z = pca.transform((X - mean) / deviation)
            forest = Forest(50, 2, Seeds(3).get("forest", j)).fit(Z[train], y[train])
            mine.append(accuracy(y[test], forest.predict(Z[test])))
        rows = found[found["preprocess"] == preprocess]
        assert rows["accuracy"].tolist() == pytest.approx(mine)


def test_embedders_see_training_rows_without_labels_and_their_own_seeds(data, drawn):
    X, y = data
    arms = {"a": Recorder(), "b": Recorder(random_state=5)}
    honest_arms(arms, X, y, preprocess=["none"], resamples=drawn, trees=5, random_state=0)
    assert len(Recorder.seen) == 8
    for j, (train, _) in enumerate(drawn):
        np.testing.assert_array_equal(Recorder.seen[j][1], X.to_numpy()[train])
    assert all(labels is None for _, _, labels in Recorder.seen)
    given = [seed for seed, _, _ in Recorder.seen]
    assert all(isinstance(seed, int) for seed in given)
    assert len(set(given)) == 8
    assert arms["b"].random_state == 5


def test_standardizing_uses_the_training_rows_alone(data, drawn):
    X, y = data
    honest_arms({"a": Recorder()}, X, y, preprocess=["standardize"], resamples=drawn, trees=5)
    for _, seen, _ in Recorder.seen:
        np.testing.assert_allclose(seen.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(seen.std(axis=0), 1)


def test_seeds_do_not_depend_on_the_other_arms(data, drawn):
    X, y = data
    options = {"resamples": drawn, "trees": 20, "random_state": 0}
    projection = make_pipeline(GaussianRandomProjection(2))
    alone = honest_arms({"random": projection}, X, y, **options).frame()
    among = honest_arms({"pca": PCA(), "random": projection}, X, y, **options).frame()
    among = among[among["arm"] == "random"].reset_index(drop=True)
    assert alone.equals(among)
    other = honest_arms({"random": projection}, X, y, **options | {"random_state": 1}).frame()
    assert not alone.equals(other)


def test_all_resamples_go_to_the_hook_in_one_call(data, drawn):
    X, y = data
    found = honest_arms({"a": Together()}, X, y, resamples=drawn, trees=20, random_state=0)
    assert len(Together.calls) == 2
    raw, seeds = Together.calls[0]
    for given, (train, _) in zip(raw, drawn, strict=True):
        np.testing.assert_array_equal(given, X.to_numpy()[train])
    assert len(set(seeds) | set(Together.calls[1][1])) == 8
    assert not Recorder.seen
    one_by_one = honest_arms({"a": Recorder()}, X, y, resamples=drawn, trees=20, random_state=0)
    assert found.frame().equals(one_by_one.frame())


def test_hook_must_return_one_for_each_resample(data, drawn):
    class Short(Together):
        def fit_resamples(self, Xs, seeds):
            return [self]

    with pytest.raises(ValueError, match=r"'fit_resamples' of the arm 'a' .* 4 .* Got 1"):
        honest_arms({"a": Short()}, *data, resamples=drawn, trees=5)


def test_progress_counts_to_the_end(data, drawn):
    calls = []
    arms = {"pca": PCA(), "wide": PCA(n_components=3)}
    honest_arms(arms, *data, resamples=drawn, trees=5, progress=lambda *args: calls.append(args))
    assert calls == [(done, 16) for done in range(1, 17)]


def test_embedding_narrower_than_mtry_is_scored(data, drawn):
    found = honest_arms({"one": PCA(1)}, *data, resamples=drawn, trees=20, random_state=0)
    assert found.summary()["accuracy_mean"].min() > 0.7


def test_summary_and_differences(data, drawn):
    arms = {"pca": PCA(), "sepals": Recorder()}
    found = honest_arms(arms, *data, resamples=drawn, trees=50, random_state=0)
    frame = found.frame()
    summary = found.summary().set_index(["arm", "preprocess"])
    pca = frame[(frame["arm"] == "pca") & (frame["preprocess"] == "none")]
    sepals = frame[(frame["arm"] == "sepals") & (frame["preprocess"] == "none")]
    assert summary.loc[("pca", "none"), "accuracy_mean"] == pytest.approx(pca["accuracy"].mean())
    assert summary.loc[("pca", "none"), "kappa_sd"] == pytest.approx(pca["kappa"].std(ddof=1))

    difference = found.differences(reference="sepals").set_index("preprocess").loc["none"]
    ratio = np.mean([len(test) / len(set(train)) for train, test in drawn])
    d = pca["accuracy"].to_numpy() - sepals["accuracy"].to_numpy()
    expected = corrected_interval(d, ratio)
    assert difference[["arm", "reference"]].tolist() == ["pca", "sepals"]
    assert difference[["difference", "low", "high"]].tolist() == pytest.approx(
        [expected.mean, expected.low, expected.high]
    )
    # Sepals alone are known to be far worse than the first two components of all four.
    assert expected.low > 0
    reverse = found.differences(reference="pca")
    assert reverse.loc[0, "difference"] == pytest.approx(-expected.mean)


def test_frame_is_a_copy_and_names_its_columns(data, drawn):
    found = honest_arms({"pca": PCA()}, *data, resamples=drawn, trees=5)
    columns = ["arm", "preprocess", "resample", "accuracy", "kappa"]
    assert list(found.frame().columns) == columns
    changed = found.frame()
    changed.loc[0, "accuracy"] = -1
    assert found.frame().loc[0, "accuracy"] >= 0


def test_prints_a_table(data):
    drawn = bootstrap(150, times=2, random_state=0)
    arms = {"pca": PCA(), "sepals": Recorder()}
    found = honest_arms(arms, *data, preprocess=["none"], resamples=drawn, trees=5)
    scores = found.frame().assign(accuracy=[0.9, 1.0, 0.7, 0.9], kappa=[0.8, 1.0, 0.5, 0.7])
    lines = str(HonestArms(scores, drawn)).splitlines()
    assert lines[2:5] == [
        "arm     preprocessing  accuracy       kappa",
        "pca     none           0.950 (0.071)  0.900 (0.141)",
        "sepals  none           0.800 (0.141)  0.600 (0.141)",
    ]
    assert lines[-2].split() == ["arms", "preprocessing", "difference", "interval"]
    assert lines[-1].startswith("sepals − pca  none           -0.150      ")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"arms": {}}, r"'arms' parameter of honest_arms must have at least one"),
        ({"preprocess": ["log"]}, r"one of 'none', 'standardize'\. Got 'log'"),
        ({"preprocess": "none"}, r"must be a non-empty sequence .* Got 'none'"),
        ({"mtry": 0}, r"'mtry' parameter of honest_arms .* Got 0"),
        ({"trees": 0}, r"'trees' parameter of honest_arms .* Got 0"),
        ({"resamples": bootstrap(9, 2)}, r"table of 150 rows.* Got resamples of 9 rows"),
        ({"y": ["a"] * 150}, r"at least two classes"),
    ],
)
def test_bad_input_is_refused(data, drawn, change, message):
    X, y = data
    given = {"arms": {"pca": PCA()}, "X": X, "y": y, "resamples": drawn} | change
    with pytest.raises(ValueError, match=message):
        honest_arms(given.pop("arms"), given.pop("X"), given.pop("y"), **given)


def test_unknown_reference_and_measure_are_refused(data, drawn):
    found = honest_arms({"pca": PCA()}, *data, resamples=drawn, trees=5)
    with pytest.raises(ValueError, match=r"'reference' .* one of 'pca'\. Got 'ica'"):
        found.differences(reference="ica")
    with pytest.raises(ValueError, match=r"'measure' .* Got 'f1'"):
        found.differences(measure="f1")
