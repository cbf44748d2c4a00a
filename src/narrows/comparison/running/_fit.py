"""Fit an arm in every resample and for every seed: the engine's arms together, others by joblib."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
from sklearn.base import clone

from narrows.comparison._arms import Arm, seeded
from narrows.comparison._fit_arguments import (
    ROWS_ALONE,
    FitArguments,
    fit_with,
    group_parameters,
    uses_labels,
)
from narrows.comparison.running._preprocessing import dense
from narrows.data import shift_of, shifted
from narrows.embedders import capabilities_of

# Lanes are trained together; their weights are held until all of them are through, 400 MB here.
_WEIGHTS_AT_ONCE = 100_000_000
FEWEST_LANES = 100  # enough to share what a call of the engine costs


@dataclass(frozen=True)
class PreparedRows:
    """One resample's rows after preprocessing.

    Attributes
    ----------
    number : int
        Of the resample.
    fit, train, test : ndarrays of shape (n_rows, n_columns)
        The rows that embedders are fitted on (those of `train`, unless nothing is refitted), and
        the rows that probes are fitted and scored on.
    """

    number: int
    fit: np.ndarray
    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Inner:
    """One resample as the embedder at a pipeline's end sees it.

    Attributes
    ----------
    steps : fitted Pipeline or None
        The steps before the embedder; None if there are none.
    rows : PreparedRows
        In float32, as networks read.
    outer : PreparedRows
        The rows before those steps.
    shift : float64 ndarray of shape (n_columns,)
        What was subtracted before the rows became float32: the training rows' mean in columns
        that float32 is too coarse for, 0 in all others.
    """

    steps: Any
    rows: PreparedRows
    outer: PreparedRows
    shift: np.ndarray


@dataclass(frozen=True)
class Embedded:
    """One fit's embedding of one resample, or why there is none.

    Attributes
    ----------
    resample, seed : int
        Their numbers from 0.
    train, test : ndarrays of shape (n_rows, width)
        Empty where the fit failed.
    error : float
        Mean squared reconstruction error of the test rows, in squared units of the prepared
        columns, whatever a pipeline does to them before its embedder; NaN for an arm without a
        way back.
    seconds : float
        Spent on fitting and embedding, where that was done alone.
    """

    resample: int
    seed: int
    train: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    test: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    error: float = np.nan
    failure: str | None = None
    seconds: float = 0.0


def lanes_of(
    arm: Arm,
    prepared: Sequence[PreparedRows],
    seeds: Sequence[Sequence[int]],
    on_progress: Callable[[float, float], object] | None = None,
    given: Sequence[FitArguments] | None = None,
) -> Iterator[Embedded]:
    """Fit an arm of the engine in all resamples and for all seeds at once."""
    given = given or [ROWS_ALONE] * len(prepared)
    before: dict[int, Inner] = {}
    # What a preprocessing learns may differ in width: a level, or a gap, that a resample lacks.
    widths: dict[int, list[int]] = {}
    for i, one in enumerate(prepared):
        try:
            before[i] = _steps_before(arm.before, one, given[i])
        except Exception as problem:  # the other resamples go on
            failure = describe(problem)
            yield from (Embedded(one.number, k, failure=failure) for k in range(len(seeds[i])))
            continue
        widths.setdefault(before[i].rows.fit.shape[1], []).append(i)
    done, total = 0, sum(len(seeds[i]) for i in before)
    for width, numbers in widths.items():
        places = [(i, k) for i in numbers for k in range(len(seeds[i]))]
        each = _lanes_at_once(arm.network, width, len(places))
        for first in range(0, len(places), each):
            some = places[first : first + each]
            report = _within(on_progress, done, len(some), total)
            yield from _lanes_at(arm, before, seeds, some, report, given)
            done += len(some)


def _lanes_at_once(network: Any, n_columns: int, wanted: int) -> int:
    """Return how many lanes to train before their weights are dropped for their embeddings."""
    if wanted <= FEWEST_LANES:
        return wanted
    weights = network._lane_weights(n_columns)
    return max(_WEIGHTS_AT_ONCE // max(weights, 1), FEWEST_LANES)


def _within(on_progress, before: int, count: int, total: int):
    """Return what reports the progress of `count` lanes as that of all, `before` them done."""
    if on_progress is None:
        return None
    return lambda done, wanted: on_progress(before + count * done / max(wanted, 1), total)


def _lanes_at(
    arm: Arm, before: dict[int, Inner], seeds, places, on_progress, given: Sequence[FitArguments]
) -> Iterator[Embedded]:
    """Fit lanes whose rows have as many columns; a place is a resample's and a seed's number."""
    rows = [before[i].rows for i, _ in places]
    flat = [seeds[i][k] for i, k in places]
    if arm.untrained is None:
        own_given = [given[i] for i, _ in places]
        lanes = _trained_lanes(arm.network, [own.fit for own in rows], flat, own_given, on_progress)
    else:
        lanes = arm.network._untrained_lanes(rows[0].fit.shape[1], flat)
    for lane, (i, k) in enumerate(places):
        own = rows[lane]
        if lanes.failures[lane] is not None:
            yield Embedded(own.number, k, failure=lanes.failures[lane])
            continue
        # One call for both parts: each has a cost of its own, however few the rows.
        Z = lanes.transform(lane, np.concatenate([own.train, own.test]))
        train, test = Z[: len(own.train)], Z[len(own.train) :]
        yield Embedded(own.number, k, train, test, _lane_error(lanes, lane, test, before[i]))


def _trained_lanes(
    network: Any, matrices: list[np.ndarray], seeds: list[int], given: list[FitArguments],
    on_progress,
) -> Any:  # fmt: skip
    """Fit a network once for each matrix; one that folds its rows itself is told their groups."""
    learns = uses_labels(network)
    grouped = given[0].groups is not None and bool(group_parameters(network))
    if grouped and not capabilities_of(network).lanes:
        own = [FitArguments(one.labels if learns else None, one.groups) for one in given]
        return _fit_each(network, matrices, seeds, own, on_progress)
    labels = {"labels": [one.labels for one in given]} if learns else {}
    return network._fit_lanes(matrices, seeds, on_progress, **labels)


@dataclass(frozen=True, eq=False)
class _Fits:
    """Fits made one after another; used as the engine's lanes are."""

    fits: list[Any]
    failures: list[str | None]

    @property
    def networks(self) -> Any:
        """What tells whether there is a way back."""
        found = (getattr(fit, "decoder_", None) for fit in self.fits if fit is not None)
        return SimpleNamespace(decoder=next(found, None))

    def transform(self, lane: int, X: np.ndarray) -> np.ndarray:
        """Return the embedding of rows by one fit; shape (n_rows, bottleneck)."""
        return self.fits[lane].transform(X)

    def inverse_transform(self, lane: int, Z: np.ndarray) -> np.ndarray:
        """Return the rows that one fit makes of embeddings; shape (n_rows, n_columns)."""
        return self.fits[lane].inverse_transform(Z)


def _fit_each(network: Any, matrices, seeds, given: list[FitArguments], on_progress) -> _Fits:
    fits: list[Any] = []
    failures: list[str | None] = []
    for X, seed, own in zip(matrices, seeds, given, strict=True):
        fit, failure = clone(network).set_params(random_state=seed), None
        try:
            fit_with(fit, X, own)
        except ValueError as problem:
            fit, failure = None, describe(problem)
        fits.append(fit)
        failures.append(failure)
        if on_progress is not None:
            on_progress(len(fits), len(seeds))
    return _Fits(fits, failures)


def _steps_before(steps: Any, prepared: PreparedRows, given: FitArguments = ROWS_ALONE) -> Inner:
    """Apply the steps of a pipeline that stand before its embedder."""
    parts, fitted = [prepared.fit, prepared.train, prepared.test], None
    if steps is not None:
        fitted = fit_with(clone(steps), np.copy(prepared.fit), given)
        parts = [dense(fitted.transform(np.copy(part))) for part in parts]
    shift = shift_of(np.asarray(parts[0]))
    fit, train, test = (
        np.ascontiguousarray(part, dtype=np.float32) for part in shifted(parts, shift)
    )
    return Inner(fitted, PreparedRows(prepared.number, fit, train, test), prepared, shift)


def _lane_error(lanes: Any, lane: int, Z: np.ndarray, inner: Inner) -> float:
    if lanes.networks.decoder is None:
        return np.nan
    found = lanes.inverse_transform(lane, Z)
    if inner.steps is None:
        return _mean_squared(found, inner.rows.test)
    return _error_of(inner.steps, found + inner.shift, inner.outer.test)


def fit_one(
    estimator: Any,
    prepared: PreparedRows,
    seed: int,
    seed_number: int,
    given: FitArguments = ROWS_ALONE,
) -> Embedded:
    """Fit a transformer in one resample; a failure is part of the result."""
    began = time.perf_counter()
    try:
        embedder = seeded(estimator, seed)
        # Copies: an estimator may work in place, and other arms have the same rows.
        fit_with(embedder, np.copy(prepared.fit), given)
        parts = prepared.train, prepared.test
        train, test = (_matrix(embedder.transform(np.copy(part)), len(part)) for part in parts)
        error = _error_of(embedder, test, prepared.test)
    except Exception as problem:  # whatever a user's transformer raises is this arm's result
        return Embedded(prepared.number, seed_number, failure=describe(problem))
    seconds = time.perf_counter() - began
    return Embedded(prepared.number, seed_number, train, test, error, None, seconds)


def _matrix(Z: Any, n_rows: int) -> np.ndarray:
    Z = np.asarray(dense(Z))
    if Z.ndim != 2 or len(Z) != n_rows:
        raise ValueError(
            f"An embedding of {n_rows} rows must have as many rows, and columns. Got shape "
            f"{Z.shape} instead."
        )
    return Z


def _error_of(embedder: Any, Z: np.ndarray, X: np.ndarray) -> float:
    if not hasattr(embedder, "inverse_transform"):
        return np.nan
    try:
        return _mean_squared(embedder.inverse_transform(np.copy(Z)), X)  # maybe in place
    except Exception:  # a way back that was not asked for (KernelPCA) is none
        return np.nan


def _mean_squared(found: Any, X: np.ndarray) -> float:
    with np.errstate(over="ignore", invalid="ignore"):  # an error that is no number is left out
        return float(np.mean((np.asarray(found, dtype=np.float64) - X) ** 2))


def describe(problem: Exception) -> str:
    """Return an exception as one line: its text, with the kind where that says more."""
    text = " ".join(str(problem).split()) or "no message"
    plain = isinstance(problem, ValueError | TypeError)
    return text if plain else f"{type(problem).__name__}: {text}"
