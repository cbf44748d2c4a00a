import importlib.util
import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from narrows.comparison import Forest, accuracy, bootstrap
from narrows.data import iris

has_ydf = importlib.util.find_spec("ydf") is not None
needs_ydf = pytest.mark.skipif(not has_ydf, reason="ydf has no wheel for this Python")
backends = pytest.mark.parametrize("backend", ["sklearn", pytest.param("ydf", marks=needs_ydf)])


@parametrize_with_checks([Forest(trees=20, random_state=0, backend="sklearn")])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


class EveryColumn(Forest):
    """Looks at all columns, so that ydf can serve tables of any width."""

    def _columns_per_split(self, n_columns):
        return n_columns


@needs_ydf
@parametrize_with_checks([EveryColumn(trees=20, random_state=0, backend="ydf")])
def test_scikit_learn_contract_with_ydf(estimator, check):
    check(estimator)


def petals():
    table = iris()
    return table.iloc[:, :2].to_numpy(), table["Species"].to_numpy()


def scores(backend, seed):
    X, y = petals()
    found = []
    for j, (train, test) in enumerate(bootstrap(150, times=8, random_state=seed)):
        forest = Forest(trees=200, mtry=2, random_state=100 * seed + j, backend=backend)
        found.append(accuracy(y[test], forest.fit(X[train], y[train]).predict(X[test])))
    return np.array(found)


@needs_ydf
def test_backends_agree_within_sampling_error():
    # Same resamples. Sepals alone are hard (about 0.73 right), so forests have room to differ.
    differences = scores("ydf", 0) - scores("sklearn", 0)
    seeds_alone = scores("sklearn", 0)
    assert 0.6 < seeds_alone.mean() < 0.85
    standard_error = differences.std(ddof=1) / np.sqrt(len(differences))
    assert abs(differences.mean()) < 3 * standard_error + 0.005
    # Two seeds of one library differ by about 0.02 in a single resample.
    assert np.abs(differences).max() < 0.08


@needs_ydf
def test_backends_give_the_same_shares():
    X, y = petals()
    # Rows that agree in both columns but not in class make leaves impure, where a vote and a
    # share are not the same.
    X = X + np.random.default_rng(0).normal(scale=0.01, size=X.shape)

    def shares(backend, seed=0):
        forest = Forest(trees=1000, mtry=2, random_state=seed, backend=backend)
        return forest.fit(X, y).predict_proba(X)

    # 1,000 votes: a share's standard deviation is at most 0.016 in each forest, and on
    # average over rows two seeds of one library are about 0.006 apart.
    assert np.abs(shares("ydf") - shares("ydf", seed=1)).mean() < 0.01
    assert np.abs(shares("ydf") - shares("sklearn")).mean() < 0.015


@needs_ydf
@pytest.mark.parametrize("mtry", [2, 3, 5, 8])
def test_ydf_looks_at_as_many_columns_as_asked(mtry):
    # Column 0 decides, so the first split is on it exactly when it is among the candidates.
    X = np.random.default_rng(0).normal(size=(200, 8))
    forest = Forest(trees=500, mtry=mtry, random_state=0, backend="ydf").fit(X, X[:, 0] > 0)
    roots = [tree.root.condition.attribute for tree in forest.forest_.get_all_trees()]
    share = np.bincount(roots).max() / 500
    assert share == pytest.approx(mtry / 8, abs=4 * np.sqrt(0.25 / 500) * (mtry < 8))


@needs_ydf
def test_one_column_of_many_is_left_to_scikit_learn():
    X, y = petals()
    assert Forest(trees=5).fit(X, y).backend_ == "sklearn"
    assert Forest(trees=5).fit(X[:, :1], y).backend_ == "ydf"
    with pytest.raises(ValueError, match=r"at least 2 with backend='ydf'.* Got 1 instead"):
        Forest(trees=5, mtry=1, backend="ydf").fit(X, y)


@backends
def test_trees_are_grown_out_and_bagged(backend):
    # Without noise and with every row its own class region, a forest grown to single rows is
    # sure of its training rows, about (1 - 1/e) of the votes seeing each.
    X = np.arange(40.0).reshape(-1, 1)
    y = np.arange(40) % 2
    shares = Forest(trees=400, random_state=0, backend=backend).fit(X, y).predict_proba(X)
    own = shares[np.arange(40), y][2:-2]
    assert own.min() > 0.5
    assert own.mean() == pytest.approx(1 - np.exp(-1) + np.exp(-1) * 0.1, abs=0.08)


@backends
@pytest.mark.parametrize("n_classes", [1, 2, 3, 12])
def test_class_labels_come_back_whatever_their_number(backend, n_classes):
    rng = np.random.default_rng(0)
    y = np.array([f"class {i % n_classes:02}" for i in range(60)])
    X = np.column_stack([np.arange(60) % n_classes, rng.normal(size=60)])
    forest = Forest(trees=50, mtry=2, random_state=0, backend=backend).fit(X, y)
    assert forest.predict(X).tolist() == y.tolist()
    assert forest.predict_proba(X).shape == (60, n_classes)
    np.testing.assert_allclose(forest.predict_proba(X).sum(axis=1), 1)


@backends
def test_class_with_one_row_is_not_lost(backend):
    X = np.arange(21.0).reshape(-1, 1)
    y = np.array(["common"] * 20 + ["rare"])
    forest = Forest(trees=300, random_state=0, backend=backend).fit(X, y)
    assert 0.4 < forest.predict_proba([[20.0]])[0, 1] < 0.9


@backends
def test_seed_decides_the_forest(backend):
    X, y = petals()

    def shares(seed):
        return (
            Forest(trees=30, mtry=2, random_state=seed, backend=backend).fit(X, y).predict_proba(X)
        )

    np.testing.assert_array_equal(shares(1), shares(1))
    assert np.abs(shares(1) - shares(2)).max() > 0.01


@backends
def test_pickle_keeps_the_forest(backend, capfd):
    X, y = petals()
    forest = Forest(trees=20, mtry=2, random_state=0, backend=backend).fit(X, y)
    again = pickle.loads(pickle.dumps(forest))
    np.testing.assert_array_equal(again.predict_proba(X), forest.predict_proba(X))
    assert capfd.readouterr() == ("", "")


@needs_ydf
def test_ydf_is_silent_and_its_verbosity_is_left_alone(capfd):
    import ydf

    before = ydf.verbose(2)
    try:
        Forest(trees=5, mtry=2, backend="ydf").fit(*petals())
        assert ydf.verbose(2) == 2
    finally:
        ydf.verbose(before)
    assert capfd.readouterr() == ("", "")


def test_ydf_is_imported_at_use_only():
    code = "import sys, narrows.comparison; sys.exit('ydf' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_ydf_scikit_learn_takes_its_place(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert Forest(trees=5).fit(*petals()).backend_ == "sklearn"
    with pytest.raises(ImportError, match=r"needs the package 'ydf'.* backend='auto'"):
        Forest(trees=5, backend="ydf").fit(*petals())


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"trees": 0}, r"'trees' parameter of Forest must be an int .* Got 0"),
        ({"mtry": 3}, r"'mtry' parameter of Forest .* columns, 2\. Got 3"),
        ({"mtry": 0}, r"'mtry' parameter of Forest .* Got 0"),
        ({"backend": "r"}, r"'backend' .* one of 'auto', 'sklearn', 'ydf'\. Got 'r'"),
    ],
)
def test_bad_settings_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        Forest(**setting).fit(*petals())
