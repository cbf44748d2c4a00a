import importlib.util
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.metrics import r2_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from narrows.comparison import Forest, ForestRegressor, accuracy, bootstrap
from narrows.data import iris

has_ydf = importlib.util.find_spec("ydf") is not None
needs_ydf = pytest.mark.skipif(not has_ydf, reason="ydf has no wheel for this Python")
backends = pytest.mark.parametrize("backend", ["sklearn", pytest.param("ydf", marks=needs_ydf)])


@parametrize_with_checks(
    [
        Forest(n_estimators=20, random_state=0, backend="sklearn"),
        ForestRegressor(n_estimators=20, random_state=0, backend="sklearn"),
    ]
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


class EveryColumn(Forest):
    """Looks at all columns, so that ydf can serve tables of any width."""

    def _columns_per_split(self, n_columns):
        return n_columns


class EveryColumnOfNumbers(ForestRegressor):
    """The same for numbers."""

    def _columns_per_split(self, n_columns):
        return n_columns


@needs_ydf
@parametrize_with_checks(
    [
        EveryColumn(n_estimators=20, random_state=0, backend="ydf"),
        EveryColumnOfNumbers(n_estimators=20, random_state=0, backend="ydf"),
    ]
)
def test_scikit_learn_contract_with_ydf(estimator, check):
    check(estimator)


def petals():
    table = iris()
    return table.iloc[:, :2].to_numpy(), table["Species"].to_numpy()


def scores(backend, seed):
    X, y = petals()
    found = []
    for j, (train, test) in enumerate(bootstrap(150, times=8, random_state=seed)):
        forest = Forest(
            n_estimators=150, max_features=2, random_state=100 * seed + j, backend=backend
        )
        found.append(accuracy(y[test], forest.fit(X[train], y[train]).predict(X[test])))
    return np.array(found)


@pytest.mark.long
@needs_ydf
def test_backends_agree_within_sampling_error():
    # Same resamples. Sepals alone are hard (about 0.73 right), so forests have room to differ.
    of_sklearn = scores("sklearn", 0)
    differences = scores("ydf", 0) - of_sklearn
    assert 0.6 < of_sklearn.mean() < 0.85
    standard_error = differences.std(ddof=1) / np.sqrt(len(differences))
    assert abs(differences.mean()) < 3 * standard_error + 0.005
    # Two seeds of one library differ by about 0.02 in a single resample.
    assert np.abs(differences).max() < 0.08


@pytest.mark.long
@needs_ydf
def test_backends_give_the_same_shares():
    X, y = petals()
    # Rows that agree in both columns but not in class make leaves impure, where a vote and a
    # share are not the same.
    X = X + np.random.default_rng(0).normal(scale=0.01, size=X.shape)

    def shares(backend, seed=0):
        forest = Forest(n_estimators=1000, max_features=2, random_state=seed, backend=backend)
        return forest.fit(X, y).predict_proba(X)

    # 1,000 votes: a share's standard deviation is at most 0.016 in each forest, and on
    # average over rows two seeds of one library are about 0.006 apart.
    assert np.abs(shares("ydf") - shares("ydf", seed=1)).mean() < 0.01
    assert np.abs(shares("ydf") - shares("sklearn")).mean() < 0.015


@needs_ydf
@pytest.mark.parametrize("max_features", [2, 3, 5, 8])
def test_ydf_looks_at_as_many_columns_as_asked(max_features):
    # Column 0 decides, so the first split is on it exactly when it is among the candidates.
    X = np.random.default_rng(0).normal(size=(200, 8))
    forest = Forest(n_estimators=500, max_features=max_features, random_state=0, backend="ydf").fit(
        X, X[:, 0] > 0
    )
    roots = [tree.root.condition.attribute for tree in forest.forest_.get_all_trees()]
    share = np.bincount(roots).max() / 500
    assert share == pytest.approx(
        max_features / 8, abs=4 * np.sqrt(0.25 / 500) * (max_features < 8)
    )


@needs_ydf
def test_one_column_of_many_is_left_to_scikit_learn():
    X, y = petals()
    assert Forest(n_estimators=5, max_features=1).fit(X, y).backend_ == "sklearn"
    assert Forest(n_estimators=5).fit(X, y).backend_ == "ydf"
    assert Forest(n_estimators=5).fit(X[:, :1], y).backend_ == "ydf"
    with pytest.raises(ValueError, match=r"at least 2 with backend='ydf'.* Got 1 instead"):
        Forest(n_estimators=5, max_features=1, backend="ydf").fit(X, y)


@pytest.mark.parametrize(
    ("forest", "expected"),
    [
        # floor(sqrt(p)) and floor(p / 3) as in R, but two where there are two.
        (Forest, {1: 1, 2: 2, 3: 2, 4: 2, 8: 2, 9: 3, 784: 28}),
        (ForestRegressor, {1: 1, 2: 2, 5: 2, 8: 2, 9: 3, 100: 33}),
    ],
)
def test_columns_per_split_are_those_of_r_but_two_at_least(forest, expected):
    X, y = np.random.default_rng(0).normal(size=(20, 784)), np.arange(20) % 2
    for n_columns, columns in expected.items():
        fitted = forest(n_estimators=1, backend="sklearn").fit(X[:, :n_columns], y)
        assert fitted.forest_.max_features == columns


@needs_ydf
def test_shares_are_whole_votes():
    X, y = petals()
    shares = Forest(301, max_features=2, random_state=0, backend="ydf").fit(X, y).predict_proba(X)
    # A tie of two classes is one in the last digit too, and the first of them wins.
    np.testing.assert_allclose(shares * 301, (shares * 301).round(), rtol=0, atol=1e-12)
    np.testing.assert_allclose((shares * 301).round().sum(axis=1), 301)


@backends
def test_trees_are_grown_out_and_bagged(backend):
    # Without noise and with every row its own class region, a forest grown to single rows is
    # sure of its training rows, about (1 - 1/e) of the votes seeing each.
    X = np.arange(40.0).reshape(-1, 1)
    y = np.arange(40) % 2
    shares = Forest(n_estimators=400, random_state=0, backend=backend).fit(X, y).predict_proba(X)
    own = shares[np.arange(40), y][2:-2]
    assert own.min() > 0.5
    assert own.mean() == pytest.approx(1 - np.exp(-1) + np.exp(-1) * 0.1, abs=0.08)


@backends
@pytest.mark.parametrize("n_classes", [1, 2, 3, 12])
def test_class_labels_come_back_whatever_their_number(backend, n_classes):
    rng = np.random.default_rng(0)
    y = np.array([f"class {i % n_classes:02}" for i in range(60)])
    X = np.column_stack([np.arange(60) % n_classes, rng.normal(size=60)])
    forest = Forest(n_estimators=50, max_features=2, random_state=0, backend=backend).fit(X, y)
    assert forest.predict(X).tolist() == y.tolist()
    assert forest.predict_proba(X).shape == (60, n_classes)
    np.testing.assert_allclose(forest.predict_proba(X).sum(axis=1), 1)


@backends
def test_class_with_one_row_is_not_lost(backend):
    X = np.arange(21.0).reshape(-1, 1)
    y = np.array(["common"] * 20 + ["rare"])
    forest = Forest(n_estimators=300, random_state=0, backend=backend).fit(X, y)
    assert 0.4 < forest.predict_proba([[20.0]])[0, 1] < 0.9


@backends
def test_seed_decides_the_forest(backend):
    X, y = petals()

    def shares(seed):
        return (
            Forest(n_estimators=30, max_features=2, random_state=seed, backend=backend)
            .fit(X, y)
            .predict_proba(X)
        )

    np.testing.assert_array_equal(shares(1), shares(1))
    assert np.abs(shares(1) - shares(2)).max() > 0.01


def test_a_learner_that_is_kept_has_its_own_settings():
    X, y = petals()
    shares = [
        Forest(n_estimators, max_features, random_state=seed, n_jobs=1).fit(X, y).predict_proba(X)
        for n_estimators, max_features, seed in [(50, 2, 0), (50, 2, 1), (40, 2, 0), (50, 2, 0)]
    ]
    np.testing.assert_array_equal(shares[0], shares[3])
    assert not np.array_equal(shares[0], shares[1])
    assert not np.array_equal(shares[0], shares[2])


@backends
def test_pickle_keeps_the_forest(backend, capfd):
    X, y = petals()
    forest = Forest(n_estimators=20, max_features=2, random_state=0, backend=backend).fit(X, y)
    again = pickle.loads(pickle.dumps(forest))
    np.testing.assert_array_equal(again.predict_proba(X), forest.predict_proba(X))
    assert capfd.readouterr() == ("", "")


@needs_ydf
def test_ydf_is_silent_and_its_verbosity_is_left_alone(capfd):
    import ydf

    before = ydf.verbose(2)
    try:
        Forest(n_estimators=5, max_features=2, backend="ydf").fit(*petals())
        assert ydf.verbose(2) == 2
    finally:
        ydf.verbose(before)
    assert capfd.readouterr() == ("", "")


@needs_ydf
def test_threads_grow_forests_side_by_side_in_silence(capfd):
    import ydf

    X, y = petals()

    def shares(seed):
        forest = Forest(n_estimators=20, max_features=2, random_state=seed, backend="ydf", n_jobs=1)
        forest = pickle.loads(pickle.dumps(forest.fit(X, y)))
        return forest.predict_proba(X)

    before = ydf.verbose(2)
    try:
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(shares, range(60)))
        assert ydf.verbose(2) == 2
    finally:
        ydf.verbose(before)
    for seed in range(0, 60, 7):
        np.testing.assert_array_equal(together[seed], shares(seed))
    assert capfd.readouterr() == ("", "")


@needs_ydf
def test_verbosity_set_by_the_user_in_the_meantime_stays():
    import ydf

    from narrows.comparison.probes._forest_backends import _silence

    before = ydf.verbose(1)
    try:
        with _silence():
            ydf.verbose(2)
        assert ydf.verbose(1) == 2
        with pytest.raises(ZeroDivisionError), _silence():
            1 / 0  # noqa: B018
        assert ydf.verbose(1) == 1
    finally:
        ydf.verbose(before)


INTERRUPTED = """
import os, signal, threading, time
import numpy as np
import ydf
from narrows.comparison import Forest

rng = np.random.default_rng(0)
X = rng.normal(size=(20000, 8)).astype(np.float32)
y = rng.integers(2, size=20000)
Forest(1, 8, backend="ydf").fit(X, y)  # everything imported

def ctrl_c():
    time.sleep(1)
    os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=ctrl_c).start()
try:
    Forest(1000, 8, backend="ydf").fit(X, y)
except KeyboardInterrupt:
    print("interrupted")
print(Forest(2, 8, backend="ydf").fit(X, y).forest_.num_trees())
"""


@pytest.mark.long
@needs_ydf
def test_ctrl_c_interrupts_ydf(ctrl_c):
    found = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, check=False
    )
    assert found.stdout.split() == ["interrupted", "2"], found


@needs_ydf
@pytest.mark.parametrize("estimator", [Forest, ForestRegressor])
def test_forest_cut_short_by_ctrl_c_elsewhere_is_not_taken(monkeypatch, estimator):
    # Of several trainings at once ydf gives the error to the last one to end; the others, and
    # those that begin before that, hand over the trees they have.
    import ydf

    train = ydf.RandomForestLearner.train

    def cut_short(learner, data, **options):
        learner.hyperparameters["num_trees"] = 3
        return train(learner, data, **options)

    monkeypatch.setattr(ydf.RandomForestLearner, "train", cut_short)
    X, y = petals()[0], np.repeat([0, 1, 2], 50)
    assert estimator(3, backend="ydf").fit(X, y).forest_.num_trees() == 3
    with pytest.raises(KeyboardInterrupt):
        estimator(4, backend="ydf").fit(X, y)


def test_ydf_is_imported_at_use_only():
    code = "import sys, narrows.comparison; sys.exit('ydf' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_ydf_scikit_learn_takes_its_place(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert Forest(n_estimators=5).fit(*petals()).backend_ == "sklearn"
    with pytest.raises(ImportError, match=r"needs the package 'ydf'.* backend='auto'"):
        Forest(n_estimators=5, backend="ydf").fit(*petals())


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"n_estimators": 0}, r"'n_estimators' parameter of Forest must be an int .* Got 0"),
        ({"max_features": 3}, r"'max_features' parameter of Forest .* columns, 2\. Got 3"),
        ({"max_features": 0}, r"'max_features' parameter of Forest .* Got 0"),
        ({"backend": "r"}, r"'backend' .* one of 'auto', 'sklearn', 'ydf'\. Got 'r'"),
        ({"n_jobs": 0}, r"'n_jobs' parameter of Forest .* other than 0.* Got 0"),
        ({"n_jobs": "all"}, r"'n_jobs' parameter of Forest .* Got 'all'"),
    ],
)
def test_bad_settings_are_refused(setting, message):
    with pytest.raises(ValueError, match=message):
        Forest(**setting).fit(*petals())


def test_messages_name_the_estimator():
    with pytest.raises(ValueError, match="'max_features' parameter of ForestRegressor"):
        ForestRegressor(max_features=5).fit(*peaks(30)[:2])


@backends
@pytest.mark.parametrize("estimator", [Forest, ForestRegressor])
def test_threads_do_not_change_the_forest(backend, estimator):
    X, y = petals()[0], np.repeat([0, 1, 2], 50)

    def predicted(n_jobs):
        forest = estimator(30, 2, random_state=0, backend=backend, n_jobs=n_jobs).fit(X, y)
        return forest.predict_proba(X) if estimator is Forest else forest.predict(X)

    for n_jobs in (1, 2, -1):
        np.testing.assert_array_equal(predicted(n_jobs), predicted(None))


def peaks(n_rows, seed=0):
    """Rows of three columns and a number that two of them make, with noise."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-2, 2, size=(n_rows, 3))
    y = np.sin(2 * X[:, 0]) + X[:, 0] * X[:, 1] + rng.normal(scale=0.5, size=n_rows)
    return X, y


def r2_scores(backend, seed):
    X, y = peaks(200)
    found = []
    for j, (train, test) in enumerate(bootstrap(200, times=8, random_state=0)):
        forest = ForestRegressor(80, 2, random_state=100 * seed + j, backend=backend)
        found.append(r2_score(y[test], forest.fit(X[train], y[train]).predict(X[test])))
    return np.array(found)


@needs_ydf
def test_backends_agree_on_numbers_within_sampling_error():
    of_ydf, of_sklearn = r2_scores("ydf", 0), r2_scores("sklearn", 0)
    # What two seeds of one library differ by is sampling error; so is what two libraries do.
    apart = of_sklearn - r2_scores("sklearn", 1)
    assert 0.4 < of_sklearn.mean() < 0.9
    differences = of_ydf - of_sklearn
    standard_error = max(differences.std(ddof=1), apart.std(ddof=1)) / np.sqrt(8)
    assert abs(differences.mean()) < 3 * standard_error + 0.005
    # Two seeds of one library differ by up to 0.09 in a single resample.
    assert np.abs(differences).max() < 0.12


def inner_sizes(node):
    """Draws in every node that is split."""
    if node.is_leaf:
        return []
    own = [round(node.value.num_examples)]
    return own + inner_sizes(node.pos_child) + inner_sizes(node.neg_child)


@needs_ydf
def test_nodes_of_more_than_five_draws_are_split_as_in_r():
    forest = ForestRegressor(200, 2, random_state=0, backend="ydf").fit(*peaks(200))
    trees = forest.forest_.get_all_trees()
    assert min(min(inner_sizes(tree.root)) for tree in trees) == 6
    # scikit-learn counts rows, not draws; its trees come out as large.
    other = ForestRegressor(200, 2, random_state=0, backend="sklearn").fit(*peaks(200))
    leaves = [len(inner_sizes(tree.root)) + 1 for tree in trees]
    theirs = [tree.get_n_leaves() for tree in other.forest_.estimators_]
    assert np.mean(leaves) == pytest.approx(np.mean(theirs), rel=0.1)


@backends
def test_numbers_far_from_zero_lose_nothing(backend):
    # At 1e6 single precision has steps of 0.06, and the numbers differ by less.
    X, y = peaks(100)
    near = ForestRegressor(50, 2, random_state=0, backend=backend).fit(X, y)
    far = ForestRegressor(50, 2, random_state=0, backend=backend).fit(X, 1e-3 * y + 1e6)
    # The last digits decide between splits that are nearly as good.
    assert np.abs((far.predict(X) - 1e6) * 1e3 - near.predict(X)).mean() < 0.02 * y.std()


@backends
def test_constant_numbers_are_predicted(backend):
    X = peaks(20)[0]
    forest = ForestRegressor(10, 2, random_state=0, backend=backend).fit(X, np.full(20, 7.5))
    assert forest.predict(X).tolist() == [7.5] * 20


@backends
def test_pickle_keeps_a_forest_of_numbers(backend):
    X, y = peaks(60)
    forest = ForestRegressor(20, 2, random_state=0, backend=backend).fit(X, y)
    again = pickle.loads(pickle.dumps(forest))
    np.testing.assert_array_equal(again.predict(X), forest.predict(X))
