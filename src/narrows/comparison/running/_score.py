"""Judge one embedding: probes fitted on its training rows, measures of its test rows."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from narrows.comparison._fit_arguments import FitArguments
from narrows.comparison.probes._registry import score_probe
from narrows.comparison.running._fit import Embedded, PreparedRows, describe, fit_one
from narrows.comparison.running._reproducible import the_same_anywhere
from narrows.data import shift_of, shifted
from narrows.quality import embedding_quality

NO_PROBE = "embedding"
QUALITY_ROWS = 1000  # neighbourhoods cost the square of the rows
NEIGHBOURS = 5


@dataclass(frozen=True)
class Judge:
    """What every embedding of a comparison is judged by.

    Attributes
    ----------
    probes : mapping of str to estimator
        Not fitted.
    y : ndarray of shape (n_rows,)
        Class codes, or numbers.
    quality : bool
        Whether neighbourhoods are measured as well.
    """

    probes: Mapping[str, Any]
    kind: str
    y: np.ndarray
    n_classes: int
    quality: bool


@dataclass(frozen=True)
class Judged:
    """The verdicts on one embedding.

    Attributes
    ----------
    embedded : Embedded
        Its points only where they are kept for a figure.
    values : list of (str, str, float)
        Probe, measure, value; measures of the embedding itself stand under ``"embedding"``.
    failures : list of (str, str)
        Probe and message.
    seconds : dict of str to float
        By part: ``"embedders"``, ``"probes"``, ``"quality"``.
    """

    embedded: Embedded
    values: list[tuple[str, str, float]]
    failures: list[tuple[str, str]]
    seconds: dict[str, float]


@the_same_anywhere
def judge(
    judge: Judge,
    embedded: Embedded,
    prepared: PreparedRows,
    rows: tuple[np.ndarray, np.ndarray],
    probe_seeds: Mapping[str, int],
    keep: bool,
) -> Judged:
    """Fit and score every probe on one embedding."""
    if embedded.failure is not None:
        return Judged(embedded, [], [(NO_PROBE, embedded.failure)], {})
    began = time.perf_counter()
    values, failures = [], []
    for name, probe in judge.probes.items():
        try:
            found = _score(judge, probe, embedded, rows, probe_seeds[name])
        except Exception as problem:  # a probe that fails is named, the others go on
            failures.append((name, describe(problem)))
            continue
        values += [(name, measure, value) for measure, value in found.items()]
    probed = time.perf_counter()
    try:
        values += [(NO_PROBE, *pair) for pair in _of_the_embedding(judge, embedded, prepared)]
    except Exception as problem:
        failures.append((NO_PROBE, describe(problem)))
    seconds = {
        "embedders": embedded.seconds,
        "probes": probed - began,
        "quality": time.perf_counter() - probed,
    }
    if not keep:
        embedded = Embedded(embedded.resample, embedded.seed)
    return Judged(embedded, values, failures, seconds)


@the_same_anywhere
def fit_and_judge(
    judge_: Judge,
    estimator: Any,
    prepared: PreparedRows,
    given: FitArguments,
    rows: tuple[np.ndarray, np.ndarray],
    seed: tuple[int, int],
    probe_seeds: Mapping[str, int],
    keep: bool,
) -> Judged:
    """Fit a transformer in one resample and judge its embedding: one task of joblib's."""
    embedded = fit_one(estimator, prepared, *seed, given)
    return judge(judge_, embedded, prepared, rows, probe_seeds, keep)


def _score(judge: Judge, probe: Any, embedded: Embedded, rows, seed: int) -> dict[str, float]:
    train, test = rows
    # Trees and others compute in float32, in which a large mean hides a small spread.
    ends = shifted((embedded.train, embedded.test), shift_of(embedded.train))
    return score_probe(
        probe, ends[0], judge.y[train], ends[1], judge.y[test], judge.kind, judge.n_classes, seed
    )  # fmt: skip


def _is_finite(Z: np.ndarray) -> bool:
    return Z.dtype.kind in "biuf" and bool(np.isfinite(Z).all())


def _of_the_embedding(judge: Judge, embedded: Embedded, prepared: PreparedRows):
    if np.isfinite(embedded.error):
        yield "reconstruction_error", embedded.error
    neighbours = min(NEIGHBOURS, (len(embedded.test) - 1) // 2)
    if not judge.quality or neighbours < 1:
        return
    # Distances need numbers; an arm or a probe that copes with gaps is judged without them.
    if not (np.isfinite(prepared.test).all() and _is_finite(embedded.test)):
        return
    # Evenly spread, so that the choice needs no seed.
    some = np.unique(np.linspace(0, len(embedded.test) - 1, QUALITY_ROWS).astype(int))
    found = embedding_quality(prepared.test[some], embedded.test[some], n_neighbors=neighbours)
    yield "trustworthiness", found.trustworthiness
    yield "continuity", found.continuity
    yield "neighbour_agreement", found.neighbour_agreement
