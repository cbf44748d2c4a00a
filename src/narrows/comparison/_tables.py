"""From scores to tables: means, spreads, differences and verdicts."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from narrows.comparison._intervals import corrected_interval, corrected_t_test
from narrows.comparison._verdicts import holm, posterior, verdict

GROUP = ["arm", "preprocess", "probe", "measure"]
VERDICTS = [
    "arm", "reference", "preprocess", "probe", "measure", "difference", "low", "high",
    "p_better", "p_equivalent", "p_worse", "p_value", "p_holm", "verdict", "resamples",
]  # fmt: skip


def averaged(scores: pd.DataFrame) -> pd.DataFrame:
    """Average seeds within a resample: they are not extra test sets.

    Parameters
    ----------
    scores : pandas.DataFrame
        ``arm``, ``preprocess``, ``resample``, ``seed``, ``probe``, ``measure``, ``value``.

    Returns
    -------
    pandas.DataFrame
        ``arm``, ``preprocess``, ``probe``, ``measure``, ``resample``, ``value``, and ``seeds``,
        how many there were, and ``variance`` over them (NaN for one). Undefined scores (kappa)
        are left out.
    """
    groups = scores.groupby([*GROUP, "resample"], sort=False, observed=True)["value"]
    return groups.agg(value="mean", seeds="count", variance="var").reset_index()


def summary(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of every measure, with both kinds of spread.

    Parameters
    ----------
    scores : pandas.DataFrame

    Returns
    -------
    pandas.DataFrame
        A row for each arm, preprocessing, probe and measure: ``mean``; ``sd_splits``, the
        standard deviation over resamples of the means over seeds; ``sd_seeds``, the root of the
        mean over resamples of the variance over seeds (NaN with one seed); ``resamples``,
        ``seeds``.
    """
    groups = averaged(scores).groupby(GROUP, sort=False, observed=True)
    found = groups.agg(
        mean=("value", "mean"),
        sd_splits=("value", "std"),
        sd_seeds=("variance", "mean"),
        resamples=("value", "count"),
        seeds=("seeds", "max"),
    ).reset_index()
    return found.assign(sd_seeds=np.sqrt(found["sd_seeds"]))


def seed_spread(scores: pd.DataFrame) -> pd.DataFrame:
    """Return how far luck with the seed carries: the mean over resamples of every seed.

    Parameters
    ----------
    scores : pandas.DataFrame

    Returns
    -------
    pandas.DataFrame
        A row for each arm, preprocessing, probe and measure with several seeds: ``seeds``,
        ``sd_within``, the standard deviation over seeds inside a resample (root mean square over
        resamples), ``sd_splits``, that over resamples of the means over seeds, and the
        ``lowest`` and ``highest`` score of one seed in one resample.
    """
    means = averaged(scores)
    groups = means[means["seeds"] > 1].groupby(GROUP, sort=False, observed=True)
    found = groups.agg(
        seeds=("seeds", "max"), sd_within=("variance", "mean"), sd_splits=("value", "std")
    )
    found["sd_within"] = np.sqrt(found["sd_within"])
    extremes = scores.groupby(GROUP, sort=False, observed=True)["value"].agg(
        lowest="min", highest="max"
    )
    return found.join(extremes).reset_index()


def verdict_table(
    scores: pd.DataFrame,
    failed: set[tuple[str, str, str]],
    reference: str,
    arms: Sequence[str],
    *,
    test_train_ratio: float,
    higher_is_better: bool,
    rope: float,
    confidence: float,
) -> pd.DataFrame:
    """Compare every arm with a reference of the same preprocessing, in one measure of one probe.

    Parameters
    ----------
    scores : pandas.DataFrame
        Scores of one probe and one measure.
    failed : set of (arm, preprocess, probe)
        Where something failed in some resample; there is no verdict: to leave out just the
        resamples in which an arm failed would flatter it.
    reference : str
    arms : sequence of str
        The order of the rows.
    test_train_ratio : float
    higher_is_better : bool
    rope : float
        Half-width of the region of practical equivalence, in the measure's units.
    confidence : float
        Of intervals, and the probability that a verdict needs.

    Returns
    -------
    pandas.DataFrame
        See `VERDICTS`. Holm's adjustment is over all rows.
    """
    if scores.empty:
        return pd.DataFrame(columns=VERDICTS)
    probe, measure = scores["probe"].iloc[0], scores["measure"].iloc[0]
    rows = []
    for choice, part in averaged(scores).groupby("preprocess", sort=False, observed=True):
        wide = part.pivot(index="resample", columns="arm", values="value")
        for arm in arms:
            if arm == reference:
                continue
            place = (arm, reference, choice, probe, measure)
            lost = any((name, choice, probe) in failed for name in (arm, reference))
            if lost or arm not in wide or reference not in wide:
                rows.append((*place, *[np.nan] * 7, "failed" if lost else "not scored", 0))
                continue
            differences = (wide[arm] - wide[reference]).dropna().to_numpy()
            found = _compared(differences, test_train_ratio, higher_is_better, rope, confidence)
            rows.append((*place, *found, len(differences)))
    columns = [name for name in VERDICTS if name != "p_holm"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(p_holm=holm(table["p_value"].to_numpy(float)))[VERDICTS]


def _compared(
    d: np.ndarray, ratio: float, higher_is_better: bool, rope: float, confidence: float
) -> tuple:
    if not len(d):
        return (*[np.nan] * 7, "not scored")
    interval = corrected_interval(d, ratio, confidence)
    # The posterior speaks of better and worse, the interval of the measure's own direction.
    chances = posterior(d if higher_is_better else -d, ratio, rope)
    p_value = corrected_t_test(d, ratio)
    return (
        interval.mean, interval.low, interval.high,
        chances.better, chances.equivalent, chances.worse, p_value, verdict(chances, confidence),
    )  # fmt: skip
