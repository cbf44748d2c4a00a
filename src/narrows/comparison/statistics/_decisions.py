"""Is an arm better, equivalent or worse: posterior probabilities, and p-values of many arms."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from narrows.comparison.statistics._intervals import moments


@dataclass(frozen=True)
class Posterior:
    """Probabilities of what the expected difference is; they add up to 1.

    Parameters
    ----------
    better : float
        Probability that it is above the region of practical equivalence (rope).
    equivalent : float
        Probability that it is inside.
    worse : float
        Probability that it is below.
    """

    better: float
    equivalent: float
    worse: float


def posterior(differences: Any, test_train_ratio: float, rope: float) -> Posterior:
    """Return the Bayesian correlated t-test: how probably an arm is better, equal or worse.

    With a prior that says nothing, the expected difference of two arms has a Student posterior
    with J − 1 degrees of freedom around the mean difference, of squared scale::

        (1/J + ρ/(1 − ρ)) · s²,   ρ = n_test/(n_test + n_train)

    where ρ is the correlation of any two resamples' differences. As ρ/(1 − ρ) is
    n_test/n_train, it is the distribution behind `corrected_interval`.

    Parameters
    ----------
    differences : array-like of shape (n_resamples,)
        One paired difference a resample, finite; above zero where the arm did better than the
        reference. For scores of which less is better, such as RMSE, turn the sign.
    test_train_ratio : float
        Test rows to distinct training rows, above 0.
    rope : float
        Half-width of the region of practical equivalence around zero, in the units of the
        score, finite and at least 0, e.g. 0.01 for a point of accuracy.

    Returns
    -------
    Posterior
        All NaN with fewer than two differences, and when all differences are equal, but for
        rounding, and not zero: scores come in steps, so that says nothing of their spread. When
        all are zero, `equivalent` is 1.

    Raises
    ------
    ValueError
        If `differences` is not one-dimensional and finite, or another parameter is out of
        range.

    References
    ----------
    Corani, G. and Benavoli, A. (2015). A Bayesian approach for comparing cross-validated
    algorithms on multiple data sets. Machine Learning 100, 285–304.
    https://doi.org/10.1007/s10994-015-5486-z

    Benavoli, A., Corani, G., Demšar, J. and Zaffalon, M. (2017). Time for a change: a
    tutorial for comparing multiple classifiers through Bayesian analysis. JMLR 18(77), 1–36.
    https://jmlr.org/papers/v18/16-305.html

    Examples
    --------
    >>> from narrows.comparison import posterior
    >>> found = posterior([0.01, 0.03, 0.02], test_train_ratio=0.25, rope=0.01)
    >>> round(found.better, 3), round(found.equivalent, 3), round(found.worse, 3)
    (0.84, 0.131, 0.03)
    """
    if not 0 <= rope < np.inf:
        raise ValueError(
            "The 'rope' parameter of posterior must be at least 0 and finite. "
            f"Got {rope!r} instead."
        )
    mean, error, freedom = moments(differences, test_train_ratio, "posterior")
    if error == 0:  # all differences are zero, which lies in every region
        return Posterior(0.0, 1.0, 0.0)
    better = float(stats.t.sf((rope - mean) / error, freedom))
    worse = float(stats.t.cdf((-rope - mean) / error, freedom))
    # Rounding may leave less than nothing in between.
    return Posterior(better, max(1 - better - worse, 0.0), worse)


def verdict(posterior: Posterior, confidence: float = 0.95) -> str:
    """Return what is decided about an arm.

    "Better" and "worse" are two sides of one question, so each gets half of what is left to
    chance: with 95 % each needs a probability above 97.5 %, which is the case where the 95 %
    interval lies wholly outside the region of practical equivalence.

    Parameters
    ----------
    posterior : Posterior
        Probabilities from `posterior`.
    confidence : float, default=0.95
        From 0.5 to below 1. ``"equivalent"`` needs a probability above it, ``"better"`` and
        ``"worse"`` one above (1 + `confidence`)/2.

    Returns
    -------
    {"better", "equivalent", "worse", "undecided"}
        ``"undecided"`` where no probability is high enough or they are NaN.

    Raises
    ------
    ValueError
        If `confidence` is out of range.

    Notes
    -----
    How often such a verdict is false where two arms are equal was simulated, see
    ``benchmarks/results/calibration.md``.

    Examples
    --------
    >>> from narrows.comparison import Posterior, verdict
    >>> verdict(Posterior(better=0.98, equivalent=0.02, worse=0.00))
    'better'
    >>> verdict(Posterior(better=0.96, equivalent=0.03, worse=0.01))
    'undecided'
    >>> verdict(Posterior(better=0.03, equivalent=0.96, worse=0.01))
    'equivalent'
    """
    if not 0.5 <= confidence < 1:
        raise ValueError(
            "The 'confidence' parameter of verdict must be at least 0.5 and below 1. "
            f"Got {confidence!r} instead."
        )
    one_side = (1 + confidence) / 2
    needed = {"better": one_side, "equivalent": confidence, "worse": one_side}
    for name, least in needed.items():
        if getattr(posterior, name) > least:
            return name
    return "undecided"


def holm(p_values: Any) -> np.ndarray:
    """Return p-values adjusted for their number by Holm's step-down method.

    The i-th smallest of m is multiplied by m − i + 1, never comes out below a smaller one's
    result, and is at most 1. To reject what is at most α keeps the probability of any false
    rejection at most α, however the tests depend on one another.

    Parameters
    ----------
    p_values : array-like of shape (n_tests,)
        Between 0 and 1, in any order. NaN, no test, stays NaN and is not counted.

    Returns
    -------
    ndarray of shape (n_tests,)
        Adjusted p-values in the order given.

    Raises
    ------
    ValueError
        If `p_values` is not one-dimensional or has a value outside 0 to 1.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian
    Journal of Statistics 6(2), 65–70. https://www.jstor.org/stable/4615733

    Examples
    --------
    >>> from narrows.comparison import holm
    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=float)
    if p.ndim != 1 or ((p < 0) | (p > 1)).any():
        raise ValueError(
            "The 'p_values' parameter of holm must be one-dimensional with values from 0 to 1. "
            f"Got {p_values!r} instead."
        )
    tested = p[~np.isnan(p)]
    order = tested.argsort()
    stepped = tested[order] * np.arange(len(tested), 0, -1)
    adjusted = np.empty_like(tested)
    adjusted[order] = np.maximum.accumulate(stepped).clip(max=1)
    result = np.full_like(p, np.nan)
    result[~np.isnan(p)] = adjusted
    return result
