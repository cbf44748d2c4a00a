"""Many fits of one embedder: as lanes of one program, or one after another.

Importing this imports Keras and JAX.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from narrows._session import usual_numbers
from narrows.embedders._restarts import restarts_of
from narrows.embedders.fitting._fit import Progress, adopt, recipe_of, run, split_job, verify_lane
from narrows.networks import Networks
from narrows.training import Training, forward, initial_weights

if TYPE_CHECKING:
    from narrows.embedders._base import NetworkEmbedder
    from narrows.embedders.fitting._labels import FitLabels


@dataclass(frozen=True, eq=False)
class Lanes:
    """Fits of one embedder that differ in rows and seeds only.

    A Keras model for each of a thousand fits would cost more than their training, so the fits
    share one network and each keeps its weights.

    Attributes
    ----------
    networks : Networks
        The graphs; their own weights are of no fit.
    weights : list of lists of ndarray
        The variables of each fit, in the order of ``networks.trained.variables``.
    failures : list of str or None
        Why a fit has no usable weights; None where it has.
    build : callable
        ``build(lane)`` returns the embedder of a fit, with models of its own.
    """

    networks: Networks
    weights: list[list[np.ndarray]]
    failures: list[str | None]
    build: Callable[[int], Any]

    def __len__(self) -> int:
        return len(self.weights)

    def transform(self, lane: int, X: np.ndarray) -> np.ndarray:
        """Return the embedding of rows by one fit; shape (n_rows, bottleneck)."""
        return self._apply(self.networks.encoder, lane, X)

    def inverse_transform(self, lane: int, Z: np.ndarray) -> np.ndarray:
        """Return the rows that one fit's decoder makes of embeddings; (n_rows, n_columns)."""
        return self._apply(self.networks.decoder, lane, Z)

    def embedder(self, lane: int) -> Any:
        """Return one fit as an embedder; raise ValueError if it has no usable weights."""
        return self.build(lane)

    def _apply(self, model: Any, lane: int, rows: np.ndarray) -> np.ndarray:
        failure = self.failures[lane]
        if failure is not None:
            raise ValueError(failure)
        variables = self.networks.trained.variables
        values = {id(v): w for v, w in zip(variables, self.weights[lane], strict=True)}
        return forward(model, np.asarray(rows, np.float32), values)


@usual_numbers()
def fit_lanes(
    embedder: "NetworkEmbedder",
    matrices: list[np.ndarray],
    seeds: list[int],
    on_progress: Progress | None = None,
    labels: Sequence["FitLabels | None"] | None = None,
) -> Lanes:
    """Fit an embedder once for each matrix and seed, training equal row counts together.

    A matrix may stand there several times and is held once; the embedder is left as it was.
    """
    networks = embedder._build(matrices[0].shape[1:])
    jobs = [
        split_job(embedder, x, None, seed, labels=own)
        for x, seed, own in zip(matrices, seeds, labels or [None] * len(seeds), strict=True)
    ]
    groups = defaultdict(list)
    for number, job in enumerate(jobs):
        kind = None if job.labels is None else (job.labels.loss, job.labels.n_outputs)
        groups[len(job.rows), len(job.validation), kind].append(number)
    epochs = embedder._length(len(jobs[0].rows)).epochs * embedder.restarts
    total, done = epochs * len(jobs), 0
    own: dict[int, Training] = {}
    best: dict[int, int] = {}
    for numbers in groups.values():
        report = on_progress and _shifted(on_progress, done, total)
        training = run(
            embedder, networks, [jobs[n] for n in numbers], [seeds[n] for n in numbers], report
        )
        if training.interrupted:
            raise KeyboardInterrupt
        done += epochs * len(numbers)
        kept = best_of(training, embedder.restarts)
        if max(kept) >= 0:  # of many fits of one network one tells of all
            verify_lane(networks, training, max(kept))
        for position, number in enumerate(numbers):
            first = position * embedder.restarts
            own[number] = training.take(slice(first, first + embedder.restarts))
            best[number] = kept[position] - first if kept[position] >= 0 else -1

    def build(number: int) -> Any:
        shape = matrices[number].shape[1:]
        return _built_copy(embedder, shape, own[number], seeds[number], jobs[number].labels)

    return Lanes(
        networks,
        [[values[best[n]] for values in own[n].weights] for n in range(len(jobs))],
        [_failure(own[n]) if best[n] < 0 else None for n in range(len(jobs))],
        build,
    )


@usual_numbers()
def untrained_lanes(
    embedder: "NetworkEmbedder", row_shape: tuple[int, ...], seeds: list[int]
) -> Lanes:
    """Return the fits of `fit_lanes` before their first step, the first restart of each."""
    networks = embedder._build(row_shape)
    recipe = recipe_of(embedder, networks, row_shape)[0]
    weights = initial_weights(recipe, [(seed, 0) for seed in seeds])

    def build(number: int) -> Any:
        raise ValueError(f"{type(embedder).__name__} number {number} was not trained.")

    lanes = [[values[n] for values in weights] for n in range(len(seeds))]
    return Lanes(networks, lanes, [None] * len(seeds), build)


def _shifted(on_progress: Progress, done: float, total: float) -> Progress:
    return lambda epochs, _: on_progress(done + epochs, total)


def _failure(training: Training) -> str:
    try:
        restarts_of(training, list(range(len(training.weights))))
    except ValueError as error:
        return str(error)
    raise AssertionError("a fit without a usable restart was expected")


def _built_copy(
    embedder: "NetworkEmbedder",
    row_shape: tuple[int, ...],
    training: Training,
    seed: int,
    labels: "FitLabels | None",
) -> Any:
    copy = clone(embedder).set_params(random_state=seed)
    adopt(copy, copy._build(row_shape), training, labels)
    copy._warn_of_lost_restarts()
    return copy


def best_of(training: Training, restarts: int) -> list[int]:
    """Return each fit's best of `restarts` lanes side by side; -1 where none is usable."""
    losses = np.where(training.usable, training.losses(training.monitored), np.inf)
    grouped = losses.reshape(-1, restarts)
    best = grouped.argmin(axis=1)
    found = np.isfinite(grouped.min(axis=1))
    lanes = np.arange(len(grouped)) * restarts + best
    return [int(lane) if usable else -1 for lane, usable in zip(lanes, found, strict=True)]


@dataclass(frozen=True, eq=False)
class SeparateFits:
    """Fits of one embedder, each with networks of its own; used as `Lanes` are.

    Attributes
    ----------
    fits : list of NetworkEmbedder or None
    failures : list of str or None
        Why a fit has no usable weights; None where it has.
    """

    fits: list[Any]
    failures: list[str | None]

    def __len__(self) -> int:
        return len(self.fits)

    @property
    def networks(self) -> Networks | None:
        """The graphs of the first fit there is, or None."""
        for fit in self.fits:
            if fit is not None:
                decoder = getattr(fit, "decoder_", None)
                return Networks(fit.encoder_, decoder, getattr(fit, "autoencoder_", None))
        return None

    def transform(self, lane: int, X: np.ndarray) -> np.ndarray:
        """Return the embedding of rows by one fit; shape (n_rows, bottleneck)."""
        return self.embedder(lane)._apply("encoder_", np.asarray(X, np.float32))

    def inverse_transform(self, lane: int, Z: np.ndarray) -> np.ndarray:
        """Return the rows that one fit's decoder makes of embeddings."""
        return self.embedder(lane)._apply("decoder_", np.asarray(Z, np.float32))

    def embedder(self, lane: int) -> Any:
        """Return one fit; raise ValueError if it has no usable weights."""
        failure = self.failures[lane]
        if failure is not None:
            raise ValueError(failure)
        return self.fits[lane]


def fit_separately(
    embedder: "NetworkEmbedder",
    matrices: list[Any],
    seeds: list[int],
    on_progress: Progress | None = None,
    labels: Sequence[Any] | None = None,
) -> SeparateFits:
    """Fit a copy for each matrix and seed, one after another."""
    fits: list[Any] = []
    failures: list[str | None] = []
    for X, seed, y in zip(matrices, seeds, labels or [None] * len(seeds), strict=True):
        fit: Any = clone(embedder).set_params(random_state=seed)
        failure = None
        try:
            fit._learn(X, y=y, warns=False)
        except ValueError as error:
            fit, failure = None, str(error)
        fits.append(fit)
        failures.append(failure)
        if on_progress is not None:
            on_progress(len(fits), len(seeds))
    return SeparateFits(fits, failures)
