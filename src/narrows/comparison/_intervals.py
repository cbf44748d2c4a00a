"""An interval for a mean difference over resamples that share rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Interval:
    """A mean difference and its confidence interval.

    Parameters
    ----------
    mean : float
        Mean difference.
    low, high : float
        Ends of the interval.
    standard_error : float
        Square root of the corrected variance of the mean.
    degrees_of_freedom : int
        Of the t distribution, J − 1.
    confidence : float
        Coverage asked for, e.g. 0.95.
    """

    mean: float
    low: float
    high: float
    standard_error: float
    degrees_of_freedom: int
    confidence: float


def corrected_interval(
    differences: Any, test_train_ratio: float, confidence: float = 0.95
) -> Interval:
    """Return Nadeau and Bengio's corrected resampled t interval.

    For J paired differences with mean m and variance s² (J − 1 in the denominator)::

        m ± t(J − 1) · sqrt((1/J + n_test/n_train) · s²)

    Resamples of one table share rows, so their differences are correlated and the usual
    s²/J is far too small; the second term makes up for it.

    Parameters
    ----------
    differences : array-like of shape (n_resamples,)
        One paired difference a resample, finite, at least two.
    test_train_ratio : float
        Test rows to training rows, n_test/n_train, above 0.
    confidence : float, default=0.95
        Coverage, above 0 and below 1.

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If `differences` is not one-dimensional, finite and of length two or more, or another
        parameter is out of range.

    References
    ----------
    Nadeau, C. and Bengio, Y. (2003). Inference for the generalization error. Machine
    Learning 52, 239–281. https://doi.org/10.1023/A:1024068626366

    Examples
    --------
    >>> from narrows.comparison import corrected_interval
    >>> round(corrected_interval([0.01, 0.03, 0.02], test_train_ratio=0.25).high, 4)
    0.0529
    """
    d = _check_differences(differences)
    _check_range("test_train_ratio", test_train_ratio, np.inf)
    _check_range("confidence", confidence, 1)
    n_resamples = len(d)
    mean = float(d.mean())
    error = float(np.sqrt((1 / n_resamples + test_train_ratio) * d.var(ddof=1)))
    half = float(stats.t.ppf((1 + confidence) / 2, n_resamples - 1)) * error
    return Interval(mean, mean - half, mean + half, error, n_resamples - 1, confidence)


def _check_differences(differences: Any) -> np.ndarray:
    d = np.asarray(differences, dtype=float)
    if d.ndim != 1 or len(d) < 2:
        raise ValueError(
            "The 'differences' parameter of corrected_interval must be one-dimensional with at "
            f"least two values. Got shape {d.shape} instead."
        )
    if not np.isfinite(d).all():
        raise ValueError(
            "The 'differences' parameter of corrected_interval must be finite. Got "
            f"{(~np.isfinite(d)).sum()} NaN or infinite values instead; leave those resamples out."
        )
    return d


def _check_range(name: str, value: float, high: float) -> None:
    if not 0 < value < high:
        raise ValueError(
            f"The '{name}' parameter of corrected_interval must be above 0 and below {high}. "
            f"Got {value!r} instead."
        )
