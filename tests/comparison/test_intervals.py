import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from narrows.comparison import corrected_interval
from narrows.comparison.statistics._intervals import corrected_t_test

# Scores lie on a grid: a variance that drowns in rounding is no case to compare.
SCORES = st.lists(st.integers(-100, 100).map(lambda n: n / 100), min_size=2, max_size=30)
SPREAD = SCORES.filter(lambda d: len(set(d)) > 1)
RATIOS = st.floats(0.05, 2)


def ends(interval):
    return interval.mean, interval.low, interval.high


def test_worked_case():
    # Three differences, mean 0.02, variance 1e-4; ratio 1/4: error sqrt((1/3 + 1/4) * 1e-4);
    # t with two degrees of freedom at 97.5 % is 4.302653 in any table.
    found = corrected_interval([0.01, 0.03, 0.02], test_train_ratio=0.25)
    error = np.sqrt(7 / 12) * 0.01
    assert found.mean == pytest.approx(0.02)
    assert found.standard_error == pytest.approx(error)
    assert found.low == pytest.approx(0.02 - 4.302653 * error, rel=1e-6)
    assert found.high == pytest.approx(0.02 + 4.302653 * error, rel=1e-6)
    assert found.degrees_of_freedom == 2


def test_worked_p_value():
    # t = 0.02 / (sqrt(7/12) * 0.01) = 2.618615; with two degrees of freedom the two tails
    # beyond t hold 1 - t / sqrt(2 + t²) = 1 - 2.618615 / sqrt(8.857143) = 0.120117.
    assert corrected_t_test([0.01, 0.03, 0.02], 0.25) == pytest.approx(0.120117, abs=1e-6)


def test_p_value_is_that_of_scikit_learns_gallery():
    # "Statistical comparison of models using grid search", its formulas written again: one
    # tail there, two here.
    d = np.random.default_rng(0).normal(0.01, 0.05, size=100)
    n_train, n_test = 90, 10
    variance = np.var(d, ddof=1) * (1 / len(d) + n_test / n_train)
    one_tail = stats.t.sf(np.abs(d.mean() / np.sqrt(variance)), len(d) - 1)
    assert corrected_t_test(d, n_test / n_train) == pytest.approx(2 * one_tail)


def test_without_shared_rows_it_is_the_usual_t():
    d = np.random.default_rng(0).normal(size=12)
    found = corrected_interval(d, test_train_ratio=1e-12, confidence=0.9)
    usual = stats.ttest_1samp(d, 0)
    low, high = usual.confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert corrected_t_test(d, 1e-12) == pytest.approx(usual.pvalue)


def test_correlated_differences_are_covered_and_the_usual_interval_fails():
    # Correlation n_test / (n_test + n_train), Nadeau and Bengio's assumption, is simulated.
    rng = np.random.default_rng(0)
    ratio, n_resamples, repeats = 0.25, 10, 2000
    shared = np.sqrt(ratio / (1 + ratio)) * rng.normal(size=(repeats, 1))
    d = shared + np.sqrt(1 / (1 + ratio)) * rng.normal(size=(repeats, n_resamples))

    def covered(ratio):
        found = (corrected_interval(row, ratio) for row in d)
        return np.mean([interval.low < 0 < interval.high for interval in found])

    assert covered(1e-12) < 0.85
    assert 0.93 < covered(ratio) < 0.97


def test_a_bootstrap_counts_distinct_rows():
    # Scores of rows that no training set changes: over very many resamples the standard error
    # must be that of a mean of n rows, sd / sqrt(n), as the docstring derives.
    rng = np.random.default_rng(0)
    rows = rng.normal(size=60)
    out = rng.multinomial(60, np.full(60, 1 / 60), size=20_000) == 0
    d = out @ rows / out.sum(axis=1)
    expected = rows.std(ddof=1) / np.sqrt(60)
    distinct = np.mean(out.sum(axis=1) / (~out).sum(axis=1))
    assert corrected_interval(d, distinct).standard_error == pytest.approx(expected, rel=0.02)
    draws = out.mean()
    assert corrected_interval(d, draws).standard_error < 0.85 * expected


@settings(deadline=None)
@given(SPREAD, RATIOS)
def test_swapped_arms_mirror_the_interval(d, ratio):
    mean, low, high = ends(corrected_interval(d, ratio))
    swapped = corrected_interval(np.negative(d), ratio)
    assert ends(swapped) == pytest.approx((-mean, -high, -low), abs=1e-12)
    assert corrected_t_test(np.negative(d), ratio) == pytest.approx(corrected_t_test(d, ratio))


@settings(deadline=None)
@given(SPREAD, RATIOS, st.floats(0.5, 1000))
def test_other_units_scale_the_interval(d, ratio, factor):
    scaled = corrected_interval(np.multiply(factor, d), ratio)
    expected = np.multiply(factor, ends(corrected_interval(d, ratio)))
    assert ends(scaled) == pytest.approx(tuple(expected), abs=1e-9)
    p = corrected_t_test(d, ratio)
    assert corrected_t_test(np.multiply(factor, d), ratio) == pytest.approx(p, abs=1e-12)


@settings(deadline=None)
@given(SPREAD, RATIOS)
def test_more_shared_rows_and_more_confidence_widen_it(d, ratio):
    def width(*arguments):
        found = corrected_interval(d, *arguments)
        return found.high - found.low

    assert width(ratio) < width(2 * ratio)
    assert width(ratio, 0.9) < width(ratio, 0.95)


@settings(deadline=None)
@given(SPREAD, RATIOS)
def test_the_interval_of_coverage_1_minus_p_ends_at_zero(d, ratio):
    p = corrected_t_test(d, ratio)
    if 1e-9 < p < 1 - 1e-9:
        found = corrected_interval(d, ratio, confidence=1 - p)
        assert min(abs(found.low), abs(found.high)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("d", [[0.1], []])
def test_fewer_than_two_resamples_have_no_interval(d):
    found = corrected_interval(d, 0.25)
    assert found.mean == 0.1 if d else math.isnan(found.mean)
    assert np.isnan([found.low, found.high, found.standard_error]).all()
    assert found.degrees_of_freedom == 0
    assert math.isnan(corrected_t_test(d, 0.25))


def test_differences_of_zero_leave_no_doubt():
    found = corrected_interval([0, 0, 0], 0.25)
    assert ends(found) == (0, 0, 0)
    assert found.standard_error == 0
    assert corrected_t_test([0, 0, 0], 0.25) == 1


@pytest.mark.parametrize("d", [[0.1] * 3, [-1e-300] * 2, [0.95 - 0.94, 0.94 - 0.93] * 5])
def test_equal_differences_say_nothing_of_their_spread(d):
    # Scores come in steps. 0.95 - 0.94 and 0.94 - 0.93 are the same but for rounding.
    found = corrected_interval(d, 0.25)
    assert found.mean == pytest.approx(d[0], rel=1e-12)
    assert np.isnan([found.low, found.high, found.standard_error]).all()
    assert math.isnan(corrected_t_test(d, 0.25))


def test_a_small_spread_is_no_rounding():
    assert corrected_interval([0.1, 0.1 + 1e-9], 0.25).standard_error > 0


@pytest.mark.parametrize(
    ("differences", "ratio", "confidence", "message"),
    [
        ([[0.1, 0.2]], 0.25, 0.95, r"one-dimensional\. Got shape \(1, 2\)"),
        ([0.1, np.nan], 0.25, 0.95, r"finite\. Got 1 NaN"),
        ([0.1, 0.2], 0, 0.95, "'test_train_ratio' .* above 0"),
        ([0.1], -1, 0.95, "'test_train_ratio' .* above 0"),
        ([0.1, 0.2], np.nan, 0.95, "'test_train_ratio' .* Got nan"),
        ([0.1, 0.2], 0.25, 1, "'confidence' .* below 1"),
    ],
)
def test_bad_input_is_refused(differences, ratio, confidence, message):
    with pytest.raises(ValueError, match=message + ".* instead") as refusal:
        corrected_interval(differences, ratio, confidence)
    assert "parameter of corrected_interval must be" in str(refusal.value)


@pytest.mark.parametrize(("differences", "ratio"), [([[0.1]], 0.25), ([0.1, 0.2], 0)])
def test_the_test_refuses_under_its_own_name(differences, ratio):
    with pytest.raises(ValueError, match=r"parameter of corrected_t_test must be .* instead"):
        corrected_t_test(differences, ratio)
