"""Held-out curves: every candidate on every fold, as lanes of few programs.

Importing this imports Keras and JAX.
"""

import contextlib
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from narrows._progress import Progress
from narrows._session import usual_numbers
from narrows.embedders.fitting._fit import (
    Job,
    Length,
    by_place,
    recipe_of,
    training_bar,
)
from narrows.embedders.fitting._length import length_for
from narrows.embedders.tuning._candidates import programs
from narrows.embedders.tuning._folds import Folds
from narrows.training import Training, train

if TYPE_CHECKING:
    from narrows.embedders._autoencoder import Autoencoder

SHORT = 4  # all candidates train for so small a part of the length first
_KEPT = 3  # and so small a part of them for all of it


@dataclass(frozen=True)
class Trial:
    """One candidate's trainings on all folds.

    Attributes
    ----------
    candidate : int
    errors : float ndarray of shape (folds, reports + 1)
        Held-out errors along the training; the first is that before the first step.
    size : int
        Number of weights.
    length : Length
    """

    candidate: int
    errors: np.ndarray
    size: int
    length: Length

    @property
    def steps(self) -> np.ndarray:
        """How many steps had been made at each place of the curve; shape (reports + 1,)."""
        rows = self.length.epoch_rows or self.length.batch_size
        return np.arange(self.errors.shape[1]) * max(rows // self.length.batch_size, 1)

    def end(self, shares: np.ndarray) -> float:
        """Return the mean held-out error at the end; shape (folds,)."""
        return float(self.errors[:, -1] @ shares)


@usual_numbers()
def trials_of(
    embedders: Sequence["Autoencoder"], x: np.ndarray, weights: np.ndarray, folds: Folds,
    seed: int, candidates: list[dict[str, Any]], shares: np.ndarray,
    rivals: Sequence[Sequence[int]] | None = None, *, verbose: bool = False,
) -> list[Trial]:  # fmt: skip
    """Train all candidates for a quarter of the length, and the best third for all of it.

    With `rivals`, groups of the candidates' numbers, it is the best third of each group.

    Each training has a schedule of its own, so that the short ones are no starts of the long ones
    but another choice. A fold has the same seed under every candidate. This is one round of
    successive halving (Jamieson and Talwalkar 2016, arXiv:1502.07943) with thirds.

    Shapes: `x` (n_rows, n_columns), `weights` (n_rows,), `shares` (folds,).
    """
    jobs = [Job(x, train, test, weights) for train, test in folds]
    rows = max(len(train) for train, _ in folds)
    whole = length_for(rows, embedders[0].epochs, embedders[0].batch_size)
    short = dataclasses.replace(whole, epochs=-(-whole.epochs // SHORT))
    rivals = [range(len(embedders))] if rivals is None else rivals
    promoted = sum(-(-len(numbers) // _KEPT) for numbers in rivals)
    total = (len(embedders) * short.epochs + promoted * whole.epochs) * len(folds)
    with contextlib.ExitStack() as stack:
        bar = stack.enter_context(training_bar(total, 1)) if verbose else None
        report = bar and _Sum(bar, total)
        groups = [
            _Group([(n, embedders[n]) for n in numbers], jobs, seed, report)
            for numbers in programs(candidates)
        ]
        trials = [trial for group in groups for trial in group.trials(short)]
        ends = {trial.candidate: trial.end(shares) for trial in trials}
        best: set[int] = set()
        for numbers in rivals:
            order = sorted(numbers, key=lambda n: ends[n] if np.isfinite(ends[n]) else np.inf)
            best |= set(order[: -(-len(numbers) // _KEPT)])
        for group in groups:
            trials += group.trials(whole, best)
    return trials


@usual_numbers()
def start_errors(
    embedder: "Autoencoder", x: np.ndarray, weights: np.ndarray, folds: Folds, seed: int
) -> np.ndarray:
    """Return the held-out errors of an embedder before its first step.

    Shapes: `x` (n_rows, n_columns), `weights` (n_rows,), (folds,) returned.
    """
    jobs = [Job(x, train, test, weights) for train, test in folds]
    rows = max(len(train) for train, _ in folds)
    length = length_for(rows, embedder.epochs, embedder.batch_size)
    return _Group([(0, embedder)], jobs, seed, None).start(length)


class _Sum:
    """Adds up the progress of trainings one after another."""

    def __init__(self, bar: Progress, total: float):
        self._bar, self._total, self._before, self._now = bar, total, 0.0, 0.0

    def __call__(self, done: float, wanted: float) -> None:
        self._now = done
        self._bar(self._before + done, self._total)

    def next(self) -> None:
        """Begin another training."""
        self._before, self._now = self._before + self._now, 0.0


class _Group:
    """Candidates that share a program."""

    def __init__(
        self, embedders: list[tuple[int, "Autoencoder"]], jobs: list[Job], seed: int,
        report: _Sum | None,
    ):  # fmt: skip
        # One network with noise serves those without: none is an amount of noise too.
        first = max((one for _, one in embedders), key=lambda one: one._noise() is not None)
        self._embedders, self._jobs, self._seed, self._report = embedders, jobs, seed, report
        self._networks = first._build(jobs[0].x.shape[1:])
        self._recipe = recipe_of(first, self._networks, jobs[0].x.shape[1:])[0]
        self._terms = first._lane_terms(self._networks, jobs)
        self._start: np.ndarray | None = None

    def trials(self, length: Length, only: set[int] | None = None) -> list[Trial]:
        """Train the candidates, or some of them."""
        some = [(n, one) for n, one in self._embedders if only is None or n in only]
        if not some:
            return []
        first = self.start(length)
        rates = [float(one.learning_rate) for _, one in some for _ in self._jobs]
        trained = self._train(some, length, rates)
        place = trained.measures.index("val_loss")
        curves = trained.history[:, :, place].reshape(len(some), len(self._jobs), -1)
        size = self._networks.trained.count_params()
        return [
            Trial(n, np.column_stack([first, curve]).astype(float), size, length)
            for (n, _), curve in zip(some, curves, strict=True)
        ]

    def start(self, length: Length) -> np.ndarray:
        """Return the errors before the first step: those of an epoch at learning rate 0."""
        if self._start is None:  # the same for every candidate and length
            rates = [0.0] * len(self._jobs)
            training = self._train(self._embedders[:1], length, rates, epochs=1)
            place = training.measures.index("val_loss")
            self._start = training.history[:, 0, place].astype(float)
        return self._start

    def _train(
        self, some: list[tuple[int, "Autoencoder"]], length: Length, rates: list[float],
        epochs: int | None = None,
    ) -> Training:  # fmt: skip
        jobs = self._jobs
        lanes = [(one, fold) for _, one in some for fold in range(len(jobs))]
        folds = [fold for _, fold in lanes]
        noises = [one._noise() for one, _ in lanes]
        terms = self._terms.of(folds)
        training = train(
            self._recipe,
            jobs[0].x,
            [jobs[fold].rows for fold in folds],
            [jobs[fold].validation for fold in folds],
            epochs=epochs or length.epochs,
            all_epochs=length.epochs,
            batch_size=length.batch_size,
            epoch_rows=length.epoch_rows or max(len(job.rows) for job in jobs),
            seeds=[(self._seed, fold) for fold in folds],
            learning_rates=rates,
            weight_decays=[one._weight_decay() for one, _ in lanes],
            schedules=[one._schedule for one, _ in lanes],
            noises=[0.0 if noise is None else noise[1] for noise in noises],
            loss_scales=terms.loss_scales,
            initial=by_place(terms.initial, self._networks),
            sample_weights=jobs[0].weights,
            frames=terms.frame,
            on_progress=None if epochs else self._report,
        )
        if training.interrupted:
            raise KeyboardInterrupt
        if self._report is not None and not epochs:
            self._report.next()
        return training
