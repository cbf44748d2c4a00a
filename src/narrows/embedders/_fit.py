"""What a network embedder's fit does: parameters and rows in, trained Keras models out.

Importing this imports Keras and JAX, so the estimator does it when it fits.
"""

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from narrows._session import usual_numbers
from narrows.embedders._keras_objects import metrics_of, optimizer_of
from narrows.embedders._restarts import restarts_of
from narrows.networks import Networks
from narrows.training import Noise, Recipe, Training, forward, initial_weights, train, verify


@contextlib.contextmanager
def progress_bar(trainings: int, epochs: int) -> Iterator[Callable[[float, float], None]]:
    """Show a bar while the block runs; yield the function that moves it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    what = "training" if trainings == 1 else f"training {trainings} times"
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} epochs"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=trainings * epochs)
        yield lambda done, wanted: progress.update(task, completed=done, total=wanted)


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
    build: Callable

    def __len__(self) -> int:
        return len(self.weights)

    def transform(self, lane: int, X: np.ndarray) -> np.ndarray:
        """Return the embedding of rows by one fit.

        Parameters
        ----------
        lane : int
        X : float32 ndarray of shape (n_rows, n_columns)

        Returns
        -------
        float32 ndarray of shape (n_rows, bottleneck)
        """
        return self._apply(self.networks.encoder, lane, X)

    def inverse_transform(self, lane: int, Z: np.ndarray) -> np.ndarray:
        """Return the rows that one fit's decoder makes of embeddings.

        Parameters
        ----------
        lane : int
        Z : float32 ndarray of shape (n_rows, bottleneck)

        Returns
        -------
        float32 ndarray of shape (n_rows, n_columns)
        """
        return self._apply(self.networks.decoder, lane, Z)

    def embedder(self, lane: int):
        """Return one fit as an embedder with models of its own.

        Parameters
        ----------
        lane : int

        Returns
        -------
        NetworkEmbedder

        Raises
        ------
        ValueError
            If the fit has no usable weights.
        """
        return self.build(lane)

    def _apply(self, model, lane: int, rows: np.ndarray) -> np.ndarray:
        failure = self.failures[lane]
        if failure is not None:
            raise ValueError(failure)
        variables = self.networks.trained.variables
        values = {id(v): w for v, w in zip(variables, self.weights[lane], strict=True)}
        return forward(model, np.asarray(rows, np.float32), values)


def best_of(training: Training, restarts: int) -> list[int]:
    """Return each fit's best restart, as a lane of the training; -1 where none is usable.

    Parameters
    ----------
    training : Training
        A fit's restarts lie side by side.
    restarts : int
        Restarts of each fit.
    """
    losses = np.where(training.usable, training.losses(training.monitored), np.inf)
    grouped = losses.reshape(-1, restarts)
    best = grouped.argmin(axis=1)
    found = np.isfinite(grouped.min(axis=1))
    lanes = np.arange(len(grouped)) * restarts + best
    return [int(lane) if usable else -1 for lane, usable in zip(lanes, found, strict=True)]


_SPLIT = 1  # tells the generator of the split from those of the restarts


@dataclass(frozen=True)
class Job:
    """The rows of one fit: all in one matrix, with the numbers of the two kinds.

    Attributes
    ----------
    x : float32 ndarray of shape (n_rows, ...)
    rows, validation : int ndarrays
    weights : float32 ndarray of shape (n_rows,)
        Sample weights; ones of rows that were given to validate on.
    """

    x: np.ndarray
    rows: np.ndarray
    validation: np.ndarray
    weights: np.ndarray


def split_job(
    embedder, x: np.ndarray, held_out: np.ndarray | None, entropy: int, weights=None
) -> Job:
    """Decide which rows are trained on and which are held out."""
    weights = np.ones(len(x), np.float32) if weights is None else weights
    if held_out is not None:
        everything = np.concatenate([x, held_out])
        padded = np.concatenate([weights, np.ones(len(held_out), np.float32)])
        return Job(everything, np.arange(len(x)), np.arange(len(x), len(everything)), padded)
    count = round(embedder.validation_fraction * len(x))
    if embedder.validation_fraction > 0 and not 0 < count < len(x):
        raise ValueError(
            f"A 'validation_fraction' of {embedder.validation_fraction} must leave rows on both "
            f"sides. Got {len(x)} rows, of which {count} would be held out. Give more rows, or "
            "another fraction."
        )
    if not count:
        return Job(x, np.arange(len(x)), np.arange(0), weights)
    # Another entropy than the restarts', which are the children of `entropy` alone.
    seed = np.random.SeedSequence((entropy, _SPLIT))
    order = np.random.Generator(np.random.PCG64(seed)).permutation(len(x))
    return Job(x, np.sort(order[count:]), np.sort(order[:count]), weights)


@usual_numbers()
def run(
    embedder,
    networks: Networks,
    jobs: list[Job],
    seeds: list[int],
    on_progress=None,
    checkpoint=None,
) -> Training:
    """Train all restarts of all jobs: one lane each, a job's restarts side by side.

    Parameters
    ----------
    embedder : NetworkEmbedder
    networks : Networks
    jobs : list of Job
        Their row counts must be equal. Every matrix is on the device once, however many jobs
        have it.
    seeds : list of int
        The entropy of each job.
    on_progress : callable, optional
        See `narrows.training.train`; by default a bar, if the embedder is verbose.
    checkpoint : path-like, optional
        See `narrows.training.train`.
    """
    restarts = range(embedder.restarts)
    x, weights, firsts = _stacked(jobs)
    lanes = [pair for pair in zip(jobs, firsts, strict=True) for _ in restarts]
    recipe, rate = _recipe(embedder, networks, x.shape[1:])
    offsets = embedder._offsets(jobs)
    offsets = None if offsets is None else np.repeat(offsets, embedder.restarts, axis=0)
    with contextlib.ExitStack() as stack:
        if embedder.verbose and on_progress is None:
            on_progress = stack.enter_context(progress_bar(len(lanes), embedder.epochs))
        training = train(
            recipe,
            x,
            [job.rows + first for job, first in lanes],
            [job.validation + first for job, first in lanes] if len(jobs[0].validation) else None,
            epochs=embedder.epochs,
            batch_size=embedder.batch_size,
            seeds=[(seed, restart) for seed in seeds for restart in restarts],
            patience=embedder.patience,
            learning_rates=[rate] * len(lanes),
            sample_weights=weights,
            offsets=offsets,
            on_progress=on_progress,
            checkpoint=checkpoint,
        )
    return training if offsets is None else embedder._without_offsets(training, offsets)


def _recipe(embedder, networks: Networks, row_shape: tuple[int, ...]) -> tuple[Recipe, float]:
    objective = embedder._objective(networks)
    optimizer, rate = optimizer_of(embedder)
    terms = objective.names if len(objective.names) > 1 else ()
    noise = embedder._noise()
    recipe = Recipe(
        model=networks.trained,
        objective=objective,
        optimizer=optimizer,
        metrics=metrics_of(embedder, row_shape, terms),
        noise=None if noise is None else Noise(*noise),
        decay=embedder._decay,
        start=networks.start,
    )
    return recipe, rate


def _stacked(jobs: list[Job]) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Put the jobs' matrices on top of each other, each once; return where each job's begins."""
    firsts: dict[int, int] = {}
    parts: list[Job] = []
    length = 0
    for job in jobs:
        if id(job.x) not in firsts:
            firsts[id(job.x)] = length
            parts.append(job)
            length += len(job.x)
    offsets = [firsts[id(job.x)] for job in jobs]
    if len(parts) == 1:
        return parts[0].x, parts[0].weights, offsets
    x = np.concatenate([job.x for job in parts])
    return x, np.concatenate([job.weights for job in parts]), offsets


@usual_numbers()
def adopt(embedder, networks: Networks, training: Training) -> None:
    """Give the embedder what was learned: the best restart's weights in its models."""
    model = networks.trained
    weights = {id(weight) for weight in model.weights}
    # Random layers keep a generator's state among the variables; it is not a weight.
    positions = [i for i, variable in enumerate(model.variables) if id(variable) in weights]
    restarts = restarts_of(training, positions)
    model.set_weights(restarts.weights[restarts.best])
    lane = list(training.lanes).index(restarts.best)
    _verify(networks, training, lane, delivered=weights)
    embedder._adopt(networks)
    embedder.restarts_ = restarts
    embedder.history_ = restarts.history


def _verify(networks: Networks, training: Training, lane: int, delivered=frozenset()) -> None:
    """Make sure that networks with the weights of a lane do what the engine does.

    Of the variables with an id in `delivered` the networks' own values are meant.
    """
    values = [
        np.asarray(variable.value) if id(variable) in delivered else lanes[lane]
        for variable, lanes in zip(networks.trained.variables, training.weights, strict=True)
    ]
    models = {"encoder": networks.encoder, "decoder": networks.decoder, "whole": networks.trained}
    verify(training.sample(lane), values, models)


@usual_numbers()
def fit_lanes(embedder, matrices: list[np.ndarray], seeds: list[int], on_progress=None) -> Lanes:
    """Fit an embedder once for each matrix and seed, training equal row counts together.

    Parameters
    ----------
    embedder : NetworkEmbedder
        Its parameters hold for every fit; it is left as it was.
    matrices : list of float32 ndarrays of shape (n_rows, ...)
        One for each fit; the same object may stand there several times and is held once.
    seeds : list of int
        The `random_state` of each fit.
    on_progress : callable, optional
        Called with (epochs done, epochs wanted), summed over fits.

    Returns
    -------
    Lanes
    """
    networks = embedder._build(matrices[0].shape[1:])
    jobs = [split_job(embedder, x, None, seed) for x, seed in zip(matrices, seeds, strict=True)]
    groups = defaultdict(list)
    for number, job in enumerate(jobs):
        groups[len(job.rows), len(job.validation)].append(number)
    total, done = embedder.epochs * embedder.restarts * len(jobs), 0
    own: dict[int, Training] = {}
    best: dict[int, int] = {}
    for numbers in groups.values():
        report = on_progress and _shifted(on_progress, done, total)
        training = run(
            embedder, networks, [jobs[n] for n in numbers], [seeds[n] for n in numbers], report
        )
        if training.interrupted:
            raise KeyboardInterrupt
        done += embedder.epochs * embedder.restarts * len(numbers)
        kept = best_of(training, embedder.restarts)
        if max(kept) >= 0:  # of many fits of one network one tells of all
            _verify(networks, training, max(kept))
        for position, number in enumerate(numbers):
            first = position * embedder.restarts
            own[number] = training.take(slice(first, first + embedder.restarts))
            best[number] = kept[position] - first if kept[position] >= 0 else -1

    def build(number: int):
        return _built_copy(embedder, matrices[number].shape[1:], own[number], seeds[number])

    return Lanes(
        networks,
        [[values[best[n]] for values in own[n].weights] for n in range(len(jobs))],
        [_failure(own[n]) if best[n] < 0 else None for n in range(len(jobs))],
        build,
    )


@usual_numbers()
def untrained_lanes(embedder, row_shape: tuple[int, ...], seeds: list[int]) -> Lanes:
    """Return the fits of `fit_lanes` before their first step, the first restart of each.

    Parameters
    ----------
    embedder : NetworkEmbedder
    row_shape : tuple of int
    seeds : list of int
    """
    networks = embedder._build(row_shape)
    recipe = _recipe(embedder, networks, row_shape)[0]
    weights = initial_weights(recipe, [(seed, 0) for seed in seeds])

    def build(number: int):
        raise ValueError(f"{type(embedder).__name__} number {number} was not trained.")

    lanes = [[values[n] for values in weights] for n in range(len(seeds))]
    return Lanes(networks, lanes, [None] * len(seeds), build)


def _shifted(on_progress, done: float, total: float):
    return lambda epochs, _: on_progress(done + epochs, total)


def _failure(training: Training) -> str:
    try:
        restarts_of(training, list(range(len(training.weights))))
    except ValueError as error:
        return str(error)
    raise AssertionError("a fit without a usable restart was expected")


def _built_copy(embedder, row_shape: tuple[int, ...], training: Training, seed: int):
    copy = clone(embedder).set_params(random_state=seed)
    adopt(copy, copy._build(row_shape), training)
    copy._warn_of_lost_restarts()
    return copy


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
    def networks(self):
        """The graphs of the first fit there is, or None."""
        from narrows.networks import Networks

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

    def embedder(self, lane: int):
        """Return one fit; raise ValueError if it has no usable weights."""
        failure = self.failures[lane]
        if failure is not None:
            raise ValueError(failure)
        return self.fits[lane]


def fit_separately(embedder, matrices: list, seeds: list[int], on_progress=None) -> SeparateFits:
    """Fit a copy for each matrix and seed.

    Parameters
    ----------
    embedder : NetworkEmbedder
    matrices : list of array-like
    seeds : list of int
    on_progress : callable, optional
        Called with (fits done, fits).
    """
    if len(matrices) != len(seeds):
        raise ValueError(
            f"'Xs' and 'seeds' must have one entry for each copy. Got {len(matrices)} matrices "
            f"and {len(seeds)} seeds instead."
        )
    fits: list[Any] = []
    failures: list[str | None] = []
    for X, seed in zip(matrices, seeds, strict=True):
        fit: Any = clone(embedder).set_params(random_state=seed)
        failure = None
        try:
            fit._learn(X, warns=False)
        except ValueError as error:
            fit, failure = None, str(error)
        fits.append(fit)
        failures.append(failure)
        if on_progress is not None:
            on_progress(len(fits), len(seeds))
    return SeparateFits(fits, failures)
