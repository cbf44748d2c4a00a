import math
import pickle
import warnings

import joblib
import numpy as np
import pytest
from sklearn import datasets
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

import narrows
from narrows.comparison import Forest, ForestRegressor, accuracy, kappa
from narrows.comparison.probes._measures import log_loss, r2, rmse
from narrows.comparison.probes._neighbors import NeighboursClassifier, NeighboursRegressor
from narrows.comparison.probes._registry import PROBES, probe_for, score_probe

everyone = pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, names in PROBES.items() for name in names]
)

CLASSES, NUMBERS = "classification", "regression"


@parametrize_with_checks([NeighboursClassifier(), NeighboursRegressor()])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def split(load, n_columns=2):
    X, y = load(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(X))
    train, test = rows[: len(X) * 4 // 5], rows[len(X) * 4 // 5 :]
    return X[train, :n_columns], y[train], X[test, :n_columns], y[test]


def quick(probe):
    """The same probe with fewer trees."""
    return (
        probe.set_params(n_estimators=50, random_state=0)
        if "n_estimators" in probe.get_params()
        else probe
    )


def test_names_make_what_they_say():
    forest = probe_for("forest", CLASSES)
    assert isinstance(forest, Forest)
    assert forest.n_estimators == 500
    assert isinstance(probe_for("forest", NUMBERS), ForestRegressor)
    assert [type(step) for step in probe_for("logistic", CLASSES)] == [
        StandardScaler,
        LogisticRegression,
    ]
    assert probe_for("forest", CLASSES) is not forest


def test_estimators_are_cloned():
    given = KNeighborsClassifier(3).fit([[0], [1], [2]], [0, 1, 0])
    probe = probe_for(given, CLASSES)
    assert probe is not given
    assert probe.n_neighbors == 3
    assert not hasattr(probe, "classes_")
    assert isinstance(probe_for(make_pipeline(StandardScaler(), Ridge()), NUMBERS)[1], Ridge)


@pytest.mark.parametrize(
    ("spec", "kind", "message"),
    [
        (
            "forrest",
            CLASSES,
            "'forest', 'logistic', 'neighbours' .*Got 'forrest'.* mean 'forest'",
        ),
        (
            "ridge",
            CLASSES,
            "labels are classes. Got 'ridge' instead. That one is for the other",
        ),
        ("logistic", NUMBERS, "'forest', 'ridge', .* Got 'logistic' .*the other kind"),
        ("xyz", CLASSES, "Got 'xyz' instead.$"),
        (
            Ridge(),
            CLASSES,
            "that predict classes.* Got Ridge, which predicts numbers.* 'task'",
        ),
        (SVC(), NUMBERS, "that predict numbers.* Got SVC, which predicts classes"),
        (SVC, CLASSES, "names or scikit-learn estimators .*Got <class"),
        (3, CLASSES, "Got 3 instead"),
        (StandardScaler(), CLASSES, "'fit' and 'predict'. Got StandardScaler"),
    ],
)
def test_other_probes_are_refused(spec, kind, message):
    with pytest.raises(ValueError, match=message):
        probe_for(spec, kind)


def test_classes_are_scored_by_every_measure():
    data = split(datasets.load_iris)
    reference = make_pipeline(StandardScaler(), LogisticRegression()).fit(*data[:2])
    predicted, P = reference.predict(data[2]), reference.predict_proba(data[2])
    found = score_probe(probe_for("logistic", CLASSES), *data, CLASSES, 3)
    assert found == {
        "accuracy": pytest.approx(accuracy(data[3], predicted)),
        "kappa": pytest.approx(kappa(data[3], predicted)),
        "log_loss": pytest.approx(log_loss(data[3], P), rel=1e-3),
    }
    assert 0.6 < found["accuracy"] < 0.9


def test_numbers_are_scored_by_every_measure():
    data = split(datasets.load_diabetes, 4)
    predicted = LinearRegression().fit(*data[:2]).predict(data[2])
    found = score_probe(LinearRegression(), *data, NUMBERS)
    assert found == {
        "r2": pytest.approx(r2(data[3], predicted)),
        "rmse": pytest.approx(rmse(data[3], predicted)),
    }


@everyone
def test_every_probe_learns(kind, name):
    load = datasets.load_wine if kind == CLASSES else datasets.load_diabetes
    data = split(load, 10)
    found = score_probe(quick(probe_for(name, kind)), *data, kind, 3)
    assert found["accuracy"] > 0.6 if kind == CLASSES else found["r2"] > 0.1
    assert all(map(math.isfinite, found.values()))


@everyone
@pytest.mark.parametrize("n_train", [1, 2, 3, 6])
def test_few_training_rows_are_enough(kind, name, n_train):
    rng = np.random.default_rng(0)
    Z = rng.normal(size=(n_train + 4, 2))
    y = np.arange(n_train + 4) % 2 if kind == CLASSES else Z[:, 0]
    data = Z[:n_train], y[:n_train], Z[n_train:], y[n_train:]
    found = score_probe(quick(probe_for(name, kind)), *data, kind, 2)
    assert not math.isnan(found["accuracy" if kind == CLASSES else "r2"])


@pytest.mark.parametrize("missing", [0, 1, 2])
@pytest.mark.parametrize("name", PROBES[CLASSES])
def test_class_that_training_lacks_is_never_right_and_keeps_codes_in_place(name, missing):
    Z_train, y_train, Z_test, y_test = split(datasets.load_iris, 4)
    seen = y_train != missing
    probe = quick(probe_for(name, CLASSES))
    found = score_probe(probe, Z_train[seen], y_train[seen], Z_test, y_test, CLASSES, 3)
    # Setosa, versicolor and virginica are told apart well: every row of a known class is right.
    assert found["accuracy"] == pytest.approx((y_test != missing).mean(), abs=0.1)
    # A row of the missing class costs -log(0.001), the others little.
    share = (y_test == missing).mean()
    assert found["log_loss"] == pytest.approx(share * -math.log(0.001), abs=0.35)


@pytest.mark.parametrize("missing", [None, 1])
def test_forest_judges_as_it_would_alone(missing):
    Z_train, y_train, Z_test, y_test = split(datasets.load_iris, 4)
    Z_train, Z_test = Z_train[:, :2], Z_test[:, :2]
    seen = y_train != missing
    forest = Forest(n_estimators=60, random_state=3)
    found = score_probe(forest, Z_train[seen], y_train[seen], Z_test, y_test, CLASSES, 3)
    alone = forest.fit(Z_train[seen], y_train[seen])
    shares = np.zeros((len(Z_test), 3))
    shares[:, alone.classes_] = alone.predict_proba(Z_test)
    assert found == {
        "accuracy": accuracy(y_test, alone.predict(Z_test)),
        "kappa": kappa(y_test, alone.predict(Z_test)),
        "log_loss": log_loss(y_test, shares),
    }


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("part", [0, 2])
def test_forest_refuses_an_embedding_that_is_not_finite(part, value):
    data = list(split(datasets.load_iris, 4))
    data[part] = data[part].copy()
    data[part][3, 1] = value
    with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
        score_probe(Forest(n_estimators=5), *data, CLASSES, 3)


def test_one_class_in_training_is_predicted():
    Z = np.arange(6.0)[:, None]
    for name in PROBES[CLASSES]:
        probe = probe_for(name, CLASSES)
        found = score_probe(probe, Z[:3], np.ones(3, int), Z[3:], np.array([1, 1, 2]), CLASSES, 3)
        assert found["accuracy"] == pytest.approx(2 / 3)
        assert found["log_loss"] == pytest.approx(-math.log(0.001) / 3, abs=0.01)


def test_one_number_in_training_is_predicted():
    Z = np.arange(6.0)[:, None]
    for name in PROBES[NUMBERS]:
        probe = probe_for(name, NUMBERS)
        found = score_probe(probe, Z[:3], np.full(3, 2.0), Z[3:], np.arange(3.0), NUMBERS)
        assert found["rmse"] == pytest.approx(math.sqrt((4 + 1 + 0) / 3))


def test_log_loss_needs_probabilities():
    data = split(datasets.load_iris)
    assert math.isnan(score_probe(SVC(), *data, CLASSES, 3)["log_loss"])
    assert not math.isnan(score_probe(DummyClassifier(), *data, CLASSES, 3)["log_loss"])


def test_probe_is_not_changed_and_the_embedding_neither():
    data = split(datasets.load_iris)
    before = [part.copy() for part in data]
    probe = probe_for("neighbours", CLASSES)
    score_probe(probe, *data, CLASSES, 3)
    assert not hasattr(probe, "classes_")
    for part, kept in zip(data, before, strict=True):
        np.testing.assert_array_equal(part, kept)


@pytest.mark.parametrize("load", [datasets.load_iris, datasets.load_breast_cancer])
def test_logistic_regression_converges(load):
    # Warnings are errors. All columns as they come, some constant, scales far apart.
    X, y = load(return_X_y=True)
    probe = probe_for("logistic", CLASSES).fit(X * 10.0 ** (np.arange(X.shape[1]) % 7), y)
    assert probe[1].n_iter_.max() < 200
    probe.fit((y == 1)[:, None], y == 1)


def test_neighbours_are_those_of_scikit_learn_on_the_embedding_as_it_is():
    Z_train, y_train, Z_test, _ = split(datasets.load_wine, 13)
    found = probe_for("neighbours", CLASSES).fit(Z_train, y_train)
    expected = KNeighborsClassifier(5).fit(Z_train, y_train)
    np.testing.assert_array_equal(found.predict_proba(Z_test), expected.predict_proba(Z_test))
    found = probe_for("neighbours", NUMBERS).fit(Z_train, Z_train[:, 0])
    expected = KNeighborsRegressor(5).fit(Z_train, Z_train[:, 0])
    np.testing.assert_array_equal(found.predict(Z_test), expected.predict(Z_test))


@everyone
def test_probes_can_be_sent_to_threads(kind, name, capfd):
    data = split(datasets.load_iris)
    probe = quick(probe_for(name, kind))
    tasks = [joblib.delayed(score_probe)(probe, *data, kind, 3)] * 6
    found = joblib.Parallel(n_jobs=2, prefer="threads")(tasks)
    assert found == [score_probe(pickle.loads(pickle.dumps(probe)), *data, kind, 3)] * 6
    assert capfd.readouterr() == ("", "")


class _FalseAlarm(KNeighborsClassifier):
    """Warns as scikit-learn does by mistake where several threads use it."""

    def fit(self, X, y):
        warnings.warn(
            "`sklearn.utils.parallel.delayed` should be used with something else",
            UserWarning,
            stacklevel=1,
        )
        return super().fit(X, y)


def test_a_false_alarm_of_threads_is_left_out(measurements):
    """Warnings are errors here, so that it would be a failure of the probe."""
    found = narrows.compare(
        {"pca": narrows.PCA(2)}, measurements, narrows.datasets.iris()["Species"],
        probes={"near": _FalseAlarm()}, resampling="3x1",
        controls=(), preprocess="none", random_state=0,
    )  # fmt: skip
    assert found.failures.empty
