"""From scores to tables: means, spreads, differences and verdicts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from narrows._checks import check_option
from narrows.comparison.probes._measures import Measure, measure_named, measures_of
from narrows.comparison.running._score import NO_PROBE
from narrows.comparison.statistics._decisions import holm, posterior, verdict
from narrows.comparison.statistics._intervals import (
    corrected_interval,
    corrected_t_test,
    without_rounding,
)

if TYPE_CHECKING:
    from narrows.comparison._comparison import Comparison

GROUP = ["arm", "preprocess", "probe", "measure"]
VERDICTS = [
    "arm", "reference", "preprocess", "probe", "measure", "difference", "low", "high",
    "p_better", "p_equivalent", "p_worse", "p_value", "p_holm", "verdict", "resamples", "rope",
]  # fmt: skip


def averaged(scores: pd.DataFrame) -> pd.DataFrame:
    """Average seeds within a resample: they are not extra test sets."""
    groups = scores.groupby([*GROUP, "resample"], sort=False, observed=True)["value"]
    return groups.agg(value="mean", seeds="count", variance="var").reset_index()


def summary(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the mean of every measure, with both kinds of spread."""
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
    """Return how far luck with the seed carries: the mean over resamples of every seed."""
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


@dataclass(frozen=True)
class Terms:
    """What verdicts are asked for.

    Attributes
    ----------
    arms, choices : list of str
        Every arm and every preprocessing, in the order of the rows.
    rope : float or None
        Half-width of the region of practical equivalence; None is the measure's own.
    confidence : float
        Of intervals, and the probability that a verdict needs.
    """

    reference: str
    arms: list[str]
    choices: list[str]
    test_train_ratio: float
    rope: float | None
    confidence: float


def verdicts(
    comparison: "Comparison",
    probe: str | None,
    measure: str | None,
    reference: str | None,
    rope: float | None,
    confidence: float,
) -> pd.DataFrame:
    """Return a row for every arm, preprocessing and probe that was asked for, scored or not."""
    terms = Terms(
        comparison.reference if reference is None else reference,
        comparison.arms,
        list(comparison.settings["preprocess"]),
        comparison.resamples.test_train_ratio,
        rope,
        confidence,
    )
    check_option(None, "reference", terms.arms, terms.reference)
    scores = comparison.scores
    tables = []
    for one, about in judged_by(comparison, probe, measure):
        part = scores[(scores["probe"] == one) & (scores["measure"] == about.name)]
        tables.append(_verdict_table(part, one, about, _failed(comparison, one), terms))
    return pd.concat(tables, ignore_index=True)


def judged_by(
    comparison: "Comparison", probe: str | None, measure: str | None
) -> list[tuple[str, Measure]]:
    """Return the pairs of a probe and a measure that are asked for; see `Comparison.verdicts`."""
    pairs = []
    for name in _measures_meant(comparison, probe, measure):
        check_option(None, "measure", comparison.scores["measure"].unique(), name)
        probes = _probes_with(comparison, name)
        where = f" for the measure {name!r}"
        check_option(None, "probe", probes, probe, optional=True, where=where)
        pairs += [(one, measure_named(name)) for one in ([probe] if probe else probes)]
    return pairs


def _measures_meant(
    comparison: "Comparison", probe: str | None, measure: str | None
) -> Sequence[str]:
    """Return the measure asked for; unasked, the main one, or all of the embedding itself."""
    if measure is None and probe == NO_PROBE:
        known = set(comparison.scores["measure"])
        return [one.name for one in measures_of(NO_PROBE) if one.name in known] or [
            comparison.measure
        ]
    return [measure or comparison.measure]


def _probes_with(comparison: "Comparison", measure: str) -> list[str]:
    """Return what a measure was taken of, probes that failed everywhere included."""
    if measure_named(measure).kind == NO_PROBE:
        return [NO_PROBE]
    scores = comparison.scores
    having = set(scores.loc[scores["measure"] == measure, "probe"])
    scored = set(scores["probe"])
    return [name for name in comparison.settings["probes"] if name in having or name not in scored]


def _failed(comparison: "Comparison", probe: str) -> set[tuple[str, str]]:
    """Return the arms and preprocessings where the fit or the probe failed in some resample."""
    failures = comparison.failures
    concerned = failures[failures["probe"].isin([probe, NO_PROBE])]
    return set(zip(concerned["arm"], concerned["preprocess"], strict=True))


def _verdict_table(
    scores: pd.DataFrame,
    probe: str,
    measure: Measure,
    failed: set[tuple[str, str]],
    terms: Terms,
) -> pd.DataFrame:
    """Compare every arm with the reference under the same preprocessing."""
    reference = terms.reference
    means = averaged(scores)
    rows = []
    for choice in terms.choices:
        part = means[means["preprocess"] == choice]
        wide = part.pivot(index="resample", columns="arm", values="value")
        own = scores.loc[(scores["arm"] == reference) & (scores["preprocess"] == choice), "value"]
        # Errors are in the preprocessed columns' units: a share of them is one of this choice's.
        rope = measure.rope_for(own.to_numpy()) if terms.rope is None else terms.rope
        for arm in terms.arms:
            if arm == reference:
                continue
            place = (arm, reference, choice, probe, measure.name)
            if {(arm, choice), (reference, choice)} & failed:
                found = _without_scores("failed")
            elif arm in wide and reference in wide:
                pairs = wide[[arm, reference]].dropna().to_numpy()
                found = _compared(pairs, measure.higher_is_better, rope, terms)
            else:
                found = _without_scores("not scored")
            rows.append((*place, *found))
    columns = [name for name in VERDICTS if name != "p_holm"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(p_holm=holm(table["p_value"].to_numpy(float)))[VERDICTS]


def _without_scores(why: str) -> tuple:
    return (*[np.nan] * 7, why, 0, np.nan)


def _compared(pairs: np.ndarray, higher_is_better: bool, rope: float, terms: Terms) -> tuple:
    """Compare scores of shape (n_resamples, 2), the reference's last."""
    if not len(pairs):
        return _without_scores("not scored")
    d = without_rounding(pairs[:, 0] - pairs[:, 1], np.abs(pairs).max())
    ratio, confidence = terms.test_train_ratio, terms.confidence
    interval = corrected_interval(d, ratio, confidence)
    # The posterior speaks of better and worse, the interval of the measure's own direction.
    chances = posterior(d if higher_is_better else -d, ratio, rope)
    p_value = corrected_t_test(d, ratio)
    return (
        interval.mean, interval.low, interval.high,
        chances.better, chances.equivalent, chances.worse, p_value, verdict(chances, confidence),
        len(d), rope,
    )  # fmt: skip
