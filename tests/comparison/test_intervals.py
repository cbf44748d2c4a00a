import numpy as np
import pytest
from scipy import stats

from narrows.comparison import corrected_interval


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


def test_without_shared_rows_it_is_the_usual_interval():
    d = np.random.default_rng(0).normal(size=12)
    found = corrected_interval(d, test_train_ratio=1e-12, confidence=0.9)
    usual = stats.ttest_1samp(d, 0).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((usual.low, usual.high))


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


@pytest.mark.parametrize(
    ("differences", "ratio", "confidence", "message"),
    [
        ([0.1], 0.25, 0.95, r"at least two values\. Got shape \(1,\)"),
        ([[0.1, 0.2]], 0.25, 0.95, r"one-dimensional .* Got shape \(1, 2\)"),
        ([0.1, np.nan], 0.25, 0.95, r"finite\. Got 1 NaN"),
        ([0.1, 0.2], 0, 0.95, "'test_train_ratio' .* above 0"),
        ([0.1, 0.2], 0.25, 1, "'confidence' .* below 1"),
    ],
)
def test_bad_input_is_refused(differences, ratio, confidence, message):
    with pytest.raises(ValueError, match=message):
        corrected_interval(differences, ratio, confidence)
