import math
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from narrows.comparison import accuracy, kappa
from narrows.comparison.probes._measures import (
    FLOOR,
    MEASURES,
    log_loss,
    measure_named,
    measures_of,
    r2,
    rmse,
)


def test_worked_case():
    # Cohen's table by hand: 50 rows, both yes 20, both no 15, 5 and 10 in disagreement.
    y_true = np.repeat(["yes", "yes", "no", "no"], [20, 5, 10, 15])
    y_pred = np.repeat(["yes", "no", "yes", "no"], [20, 5, 10, 15])
    assert accuracy(y_true, y_pred) == pytest.approx(35 / 50)
    by_chance = (25 / 50) * (30 / 50) + (25 / 50) * (20 / 50)
    assert kappa(y_true, y_pred) == pytest.approx((0.7 - by_chance) / (1 - by_chance))


def test_kappa_is_nan_where_chance_agrees_always():
    assert math.isnan(kappa(["a", "a"], ["a", "a"]))


def test_kappa_is_zero_for_a_constant_guess():
    assert kappa(["a", "b", "a"], ["a", "a", "a"]) == pytest.approx(0)


def test_log_loss_by_hand():
    P = [[0.5, 0.5, 0], [0.2, 0.8, 0]]
    # Raised to 0.001 and divided by 1.001.
    expected = -(math.log(0.5 / 1.001) + math.log(0.001 / 1.001)) / 2
    assert log_loss([1, 2], P) == pytest.approx(expected)


@st.composite
def predictions(draw):
    n_classes = draw(st.integers(2, 5))
    seed = draw(st.integers(0, 10**6))
    rng = np.random.default_rng(seed)
    n_rows = draw(st.integers(1, 20))
    votes = rng.multinomial(draw(st.integers(1, 500)), np.ones(n_classes) / n_classes, n_rows)
    return rng.integers(n_classes, size=n_rows), votes / votes.sum(axis=1, keepdims=True)


@given(predictions(), st.floats(1e-9, 0.2))
def test_log_loss_is_that_of_scikit_learn_on_raised_probabilities(case, floor):
    y, P = case
    raised = np.clip(P, floor, None)
    raised = raised / raised.sum(axis=1, keepdims=True)
    expected = metrics.log_loss(y, raised, labels=np.arange(P.shape[1]))
    assert log_loss(y, P, floor=floor) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_log_loss_is_bounded_and_keeps_what_is_above_the_floor():
    assert log_loss([0], [[0.0, 1.0]]) == pytest.approx(-math.log(FLOOR / (1 + FLOOR)))
    assert pytest.approx(0.5 / 500) == FLOOR
    P = np.array([[0.25, 0.75], [0.5, 0.5]])
    assert log_loss([0, 1], P) == pytest.approx(-np.log([0.25, 0.5]).mean())
    assert P[0, 0] == 0.25


def test_log_loss_of_named_classes():
    P = [[0.1, 0.9], [0.6, 0.4]]
    assert log_loss(["b", "a"], P, classes=["a", "b"]) == pytest.approx(log_loss([1, 0], P))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 1], [[0.5, 0.5]]), r"shape \(n_rows, n_classes\).*Got shapes \(1, 2\) and \(2,\)"),
        (([0], [0.5]), r"Got shapes \(1,\)"),
        (([2], [[0.5, 0.5]]), "a column for every true class. Got none for .*2"),
        ((["c"], [[0.5, 0.5]], ["a", "b"]), "Got none for .*'c'"),
        (([0], [[0.5, 0.5]], ["a"]), "'classes' .* must name 2 columns. Got 1"),
        (([0], [[0.5, 0.5]], None, 0.0), "'floor' parameter of log_loss .* Got 0.0"),
    ],
)
def test_bad_probabilities_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        log_loss(*arguments)


def test_numbers_by_hand():
    y_true, y_pred = [1.0, 2.0, 3.0, 6.0], [1.0, 2.0, 4.0, 4.0]
    assert rmse(y_true, y_pred) == pytest.approx(math.sqrt(5 / 4))
    assert r2(y_true, y_pred) == pytest.approx(1 - 5 / 14)
    assert r2(y_true, [3.0] * 4) == pytest.approx(0)


@pytest.mark.parametrize("y_true", [[1.0], [2.0, 2.0]])
def test_r2_is_nan_where_there_is_nothing_to_explain(y_true):
    assert math.isnan(r2(y_true, [0.5] * len(y_true)))


def test_registry_knows_every_measure():
    assert [m.name for m in measures_of("classification")] == ["accuracy", "kappa", "log_loss"]
    assert [m.name for m in measures_of("regression")] == ["r2", "rmse"]
    assert [m.name for m in MEASURES.values() if not m.higher_is_better] == [
        "log_loss",
        "rmse",
        "reconstruction_error",
    ]
    for name, measure in MEASURES.items():
        assert measure_named(name) is measure
        assert measure.rope > 0
        assert pickle.loads(pickle.dumps(measure)) == measure
        assert (measure.function is None) == (measure.kind == "embedding")


def test_direction_is_that_of_better_predictions():
    good = {"labels": [0, 1, 1, 3], "probabilities": np.eye(4)[[0, 1, 1, 3]]}
    bad = {"labels": [1, 1, 1, 2], "probabilities": np.full((4, 4), 0.25)}
    y = np.array([0, 1, 1, 3])
    for measure in [*measures_of("classification"), *measures_of("regression")]:
        gain = measure.function(y, good[measure.needs]) - measure.function(y, bad[measure.needs])
        assert (gain > 0) == measure.higher_is_better, measure.name


def test_region_of_kappa_is_a_point_of_accuracy_with_two_equal_classes():
    y = np.repeat([0, 1], 100)
    wrong, one_less = y.copy(), y.copy()
    wrong[[*range(10), *range(100, 110)]] ^= 1
    one_less[[*range(9), *range(100, 109)]] ^= 1
    assert accuracy(y, one_less) - accuracy(y, wrong) == pytest.approx(0.01)
    assert kappa(y, one_less) - kappa(y, wrong) == pytest.approx(measure_named("kappa").rope)


def test_region_in_units_of_the_scores():
    assert measure_named("accuracy").rope_for([0.5, 0.7]) == 0.01
    relative = measure_named("rmse")
    assert relative.rope_for([100.0, 300.0, np.nan, 200.0]) == pytest.approx(2.0)
    assert relative.rope_for([np.nan]) == 0.0


def test_unknown_measure_is_refused_with_near_ones():
    with pytest.raises(ValueError, match=r"'accuracy', 'kappa'.* Got 'acuracy' .* mean 'accuracy'"):
        measure_named("acuracy")
