import math
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from narrows.comparison.statistics._decisions import Posterior, holm, posterior, verdict
from narrows.comparison.statistics._intervals import corrected_interval, corrected_t_test

SCORES = st.lists(st.integers(-100, 100).map(lambda n: n / 100), min_size=2, max_size=30)
SPREAD = SCORES.filter(lambda d: len(set(d)) > 1)
RATIOS = st.floats(0.05, 2)
ROPES = st.floats(0, 0.5)
P_VALUES = st.lists(st.one_of(st.floats(0, 1), st.just(math.nan)), max_size=12)


def test_worked_case():
    # As in the interval's worked case: mean 0.02, scale sqrt(7/12) * 0.01 = 0.00763763, two
    # degrees of freedom, for which P(T < t) = 1/2 + t / (2 sqrt(2 + t²)).
    # better: (0.02 - 0.01) / scale = 1.309307, 1/2 + 1.309307 / (2 * 1.927248) = 0.839683;
    # worse: (-0.01 - 0.02) / scale = -3.927922, 1/2 - 3.927922 / (2 * 4.174754) = 0.029562.
    found = posterior([0.01, 0.03, 0.02], test_train_ratio=0.25, rope=0.01)
    assert astuple(found) == pytest.approx((0.839683, 0.130755, 0.029562), abs=2e-6)


def test_it_is_the_posterior_of_scikit_learns_gallery():
    # "Statistical comparison of models using grid search", its formulas written again.
    d = np.random.default_rng(0).normal(0.01, 0.05, size=100)
    scale = np.sqrt(np.var(d, ddof=1) * (1 / len(d) + 10 / 90))
    t_post = stats.t(len(d) - 1, loc=np.mean(d), scale=scale)
    found = posterior(d, 10 / 90, rope=0.01)
    assert found.better == pytest.approx(1 - t_post.cdf(0.01))
    assert found.equivalent == pytest.approx(t_post.cdf(0.01) - t_post.cdf(-0.01))
    assert posterior(d, 10 / 90, rope=0).better == pytest.approx(1 - t_post.cdf(0))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("folds", "runs"), [(5, 5), (10, 1), (2, 10)])
def test_it_is_baycomps(seed, folds, runs):
    baycomp = pytest.importorskip("baycomp")
    rng = np.random.default_rng(seed)
    reference, arm = rng.normal([[0.8], [0.82]], 0.05, size=(2, folds * runs))
    left, rope, right = baycomp.two_on_single(reference, arm, rope=0.01, runs=runs)
    found = posterior(arm - reference, 1 / (folds - 1), rope=0.01)
    assert astuple(found) == pytest.approx((right, rope, left), abs=1e-12)


@settings(deadline=None)
@given(SPREAD, RATIOS, ROPES)
def test_probabilities_add_up_to_one(d, ratio, rope):
    found = astuple(posterior(d, ratio, rope))
    assert sum(found) == pytest.approx(1)
    assert min(found) >= 0


@settings(deadline=None)
@given(SPREAD, RATIOS, ROPES)
def test_swapped_arms_swap_better_and_worse(d, ratio, rope):
    found = posterior(d, ratio, rope)
    swapped = posterior(np.negative(d), ratio, rope)
    assert astuple(swapped) == pytest.approx(astuple(found)[::-1], abs=1e-12)


@settings(deadline=None)
@given(SPREAD, RATIOS, ROPES, st.floats(0.5, 1000))
def test_other_units_change_nothing(d, ratio, rope, factor):
    scaled = posterior(np.multiply(factor, d), ratio, factor * rope)
    assert astuple(scaled) == pytest.approx(astuple(posterior(d, ratio, rope)), abs=1e-9)


@settings(deadline=None)
@given(SPREAD, RATIOS)
def test_without_a_region_it_is_the_p_value_and_the_interval(d, ratio):
    found = posterior(d, ratio, rope=0)
    assert found.equivalent == pytest.approx(0, abs=1e-12)
    tails = 2 * min(found.better, found.worse)
    assert tails == pytest.approx(corrected_t_test(d, ratio))
    # 97.5 % on one side is a 95 % interval that leaves zero out.
    outside = corrected_interval(d, ratio)
    if abs(tails - 0.05) > 1e-9:
        assert (verdict(found) == "better") == (outside.low > 0)
        assert (verdict(found) == "worse") == (outside.high < 0)


@pytest.mark.parametrize("rope", [0, 0.01])
def test_identical_arms_are_equivalent(rope):
    found = posterior([0] * 3, 0.25, rope)
    assert astuple(found) == (0, 1, 0)
    assert verdict(found) == "equivalent"


@pytest.mark.parametrize(
    "d", [[0.02] * 2, [-0.02] * 3, [0.95 - 0.94, 0.94 - 0.93] * 5, [1e-300] * 2]
)
def test_equal_differences_decide_nothing(d):
    found = posterior(d, 0.25, rope=0.01)
    assert np.isnan(astuple(found)).all()
    assert verdict(found) == "undecided"


@pytest.mark.parametrize("d", [[0.1], []])
def test_fewer_than_two_resamples_decide_nothing(d):
    found = posterior(d, 0.25, rope=0.01)
    assert np.isnan(astuple(found)).all()
    assert verdict(found) == "undecided"


@pytest.mark.parametrize(
    ("probabilities", "confidence", "expected"),
    [
        ((0.98, 0.01, 0.01), 0.95, "better"),
        ((0.01, 0.96, 0.03), 0.95, "equivalent"),
        ((0.01, 0.01, 0.98), 0.95, "worse"),
        ((0.97, 0.02, 0.01), 0.95, "undecided"),  # one side of two
        ((0.975, 0.02, 0.005), 0.95, "undecided"),
        ((0.03, 0.95, 0.02), 0.95, "undecided"),
        ((0.98, 0.01, 0.01), 0.97, "undecided"),
        ((0.96, 0.03, 0.01), 0.9, "better"),
        ((0.5, 0.5, 0.0), 0.5, "undecided"),
    ],
)
def test_a_verdict_exceeds_what_it_needs(probabilities, confidence, expected):
    assert verdict(Posterior(*probabilities), confidence) == expected


@settings(deadline=None)
@given(SPREAD, RATIOS, st.floats(0, 0.1))
def test_a_verdict_is_an_interval_outside_the_region(d, ratio, rope):
    found = corrected_interval(d, ratio)
    edge = min(abs(found.low - rope), abs(found.high + rope))
    if edge > 1e-9:
        said = verdict(posterior(d, ratio, rope))
        assert (said == "better") == (found.low > rope)
        assert (said == "worse") == (found.high < -rope)


@pytest.mark.parametrize("n_tests", [1, 2, 5, 40])
def test_holm_is_statsmodels(n_tests):
    # Few cases, as statsmodels collects garbage in every call. Rounding makes ties.
    p = np.random.default_rng(n_tests).beta(0.3, 3, size=n_tests).round(3)
    adjusted = multipletests(p, method="holm")[1]
    np.testing.assert_allclose(holm(p), adjusted, rtol=1e-12)


@settings(deadline=None)
@given(P_VALUES)
def test_holm_adjusts_what_was_tested(p_values):
    p = np.array(p_values, dtype=float)
    tested = ~np.isnan(p)
    found = holm(p_values)
    assert np.isnan(found[~tested]).all()
    np.testing.assert_array_equal(found[tested], holm(p[tested]))
    order = p[tested].argsort()
    assert (np.diff(found[tested][order]) >= 0).all()
    assert ((p <= found) & (found <= 1))[tested].all()
    # The smallest is what Bonferroni makes of it.
    if tested.any():
        assert np.nanmin(found) == min(1, tested.sum() * np.nanmin(p))


def test_worked_holm():
    # 0.01 of three: 3 * 0.01; then 2 * 0.03 = 0.06; then 1 * 0.04, lifted to 0.06.
    assert holm([0.04, 0.01, math.nan, 0.03]) == pytest.approx(
        [0.06, 0.03, math.nan, 0.06], nan_ok=True
    )


@pytest.mark.parametrize(
    ("differences", "ratio", "rope", "message"),
    [
        ([0.1, np.inf], 0.25, 0.01, "'differences' parameter of posterior .* Got 1 NaN"),
        ([0.1, 0.2], 0, 0.01, "'test_train_ratio' parameter of posterior .* Got 0"),
        ([0.1, 0.2], 0.25, -0.01, r"'rope' .* at least 0 .* Got -0\.01"),
        ([0.1, 0.2], 0.25, np.inf, r"'rope' .* finite\. Got inf"),
        ([0.1, 0.2], 0.25, np.nan, r"'rope' .* finite\. Got nan"),
    ],
)
def test_posterior_refuses_bad_input(differences, ratio, rope, message):
    with pytest.raises(ValueError, match=message + ".* instead"):
        posterior(differences, ratio, rope)


@pytest.mark.parametrize("confidence", [0.4, 1, np.nan])
def test_verdict_refuses_a_confidence_that_two_could_reach(confidence):
    with pytest.raises(ValueError, match=rf"'confidence' .* below 1\. Got {confidence} instead"):
        verdict(Posterior(1, 0, 0), confidence)


@pytest.mark.parametrize("p_values", [[0.1, 1.1], [-0.1], [[0.1]], 0.1, [np.inf]])
def test_holm_refuses_what_is_no_list_of_p_values(p_values):
    with pytest.raises(ValueError, match=r"'p_values' .* values from 0 to 1\. Got .* instead"):
        holm(p_values)
