"""Held-out curves: every candidate on every fold, as lanes of few programs.

Importing this imports Keras and JAX.
"""

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from narrows._progress import Progress
from narrows._session import usual_numbers
from narrows.embedders.fitting._fit import (
    Job,
    LaneTerms,
    Length,
    by_place,
    recipe_of,
    training_bar,
)
from narrows.embedders.fitting._labels import FitLabels
from narrows.embedders.fitting._length import length_for
from narrows.embedders.tuning._candidates import programs
from narrows.embedders.tuning._folds import Folds
from narrows.embedders.tuning._probe import Probe
from narrows.training import Training, forward, train

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
        Held-out errors along the training; the first is that before the first step. The loss of
        the labels has no part in them.
    size : int
        Number of weights.
    length : Length
    label_weight : float
    scores : float ndarray of shape (folds,), or None
        What a probe scores at the end.
    start_scores : float ndarray of shape (folds,), or None
        The same before the first step.
    """

    candidate: int
    errors: np.ndarray
    size: int
    length: Length
    label_weight: float = 0.0
    scores: np.ndarray | None = None
    start_scores: np.ndarray | None = None

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
    labels: FitLabels | None = None, probe: Probe | None = None,
    promote: Callable[[Sequence[Trial], int], Sequence[Trial]] | None = None,
) -> list[Trial]:  # fmt: skip
    """Train all candidates for a quarter of the length, and the best third for all of it.

    With `rivals`, groups of the candidates' numbers, it is the best third of each group: that of
    the least mean error, or what `promote` returns of some trials and a number.

    Each training has a schedule of its own, so that the short ones are no starts of the long ones
    but another choice. A fold has the same seed under every candidate. This is one round of
    successive halving (Jamieson and Talwalkar 2016, arXiv:1502.07943) with thirds.

    Shapes: `x` (n_rows, n_columns), `weights` (n_rows,), `shares` (folds,).
    """
    jobs = [Job(x, train, test, weights, labels) for train, test in folds]
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
            _Group([(n, embedders[n]) for n in numbers], jobs, seed, report, probe)
            for numbers in programs(candidates)
        ]
        trials = [trial for group in groups for trial in group.trials(short)]
        best: set[int] = set()
        for numbers in rivals:
            own = [trial for trial in trials if trial.candidate in numbers]
            kept = (promote or by_error(shares))(own, -(-len(numbers) // _KEPT))
            best |= {trial.candidate for trial in kept}
        for group in groups:
            trials += group.trials(whole, best)
    return trials


def by_error(shares: np.ndarray) -> Callable[[Sequence[Trial], int], list[Trial]]:
    """Return what picks so many trials of the least mean error; `shares` (folds,)."""

    def end(trial: Trial) -> float:
        error = trial.end(shares)
        return error if np.isfinite(error) else np.inf

    return lambda trials, count: sorted(trials, key=end)[:count]


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
    return _Group([(0, embedder)], jobs, seed, None).starts(length)[0][0]


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
        report: _Sum | None, probe: Probe | None = None,
    ):  # fmt: skip
        # One network with noise serves those without: none is an amount of noise too.
        first = max((one for _, one in embedders), key=lambda one: one._noise() is not None)
        self._embedders, self._jobs, self._seed, self._report = embedders, jobs, seed, report
        self._first, self._probe = first, probe
        self._networks = first._build(jobs[0].x.shape[1:])
        labels = jobs[0].labels
        self._recipe = recipe_of(first, self._networks, jobs[0].x.shape[1:], labels)[0]
        # What labels weigh decides where a training starts; without any it is one start.
        self._weights = sorted({self._weight(one) for _, one in embedders})
        self._terms = first._lane_terms(
            self._networks,
            jobs * len(self._weights),
            [weight for weight in self._weights for _ in jobs],
        )
        self._starts: tuple[np.ndarray, np.ndarray | None] | None = None

    def trials(self, length: Length, only: set[int] | None = None) -> list[Trial]:
        """Train the candidates, or some of them."""
        some = [(n, one) for n, one in self._embedders if only is None or n in only]
        if not some:
            return []
        errors, scores = self.starts(length)
        rates = [float(one.learning_rate) for _, one in some for _ in self._jobs]
        weights = [self._weight(one) for _, one in some]
        curves, ends = self._train([one for _, one in some], weights, length, rates)
        size = self._networks.trained.count_params()
        found = []
        for place, (n, _) in enumerate(some):
            start = self._weights.index(weights[place])
            found.append(
                Trial(
                    n, np.column_stack([errors[start], curves[place]]), size, length,
                    weights[place], None if ends is None else ends[place],
                    None if scores is None else scores[start],
                )
            )  # fmt: skip
        return found

    def starts(self, length: Length) -> tuple[np.ndarray, np.ndarray | None]:
        """Return errors, and scores, before the first step: of an epoch at learning rate 0.

        Shapes: (label weights, folds), the same for every candidate and length.
        """
        if self._starts is None:
            some = [self._first] * len(self._weights)
            rates = [0.0] * (len(some) * len(self._jobs))
            curves, scores = self._train(some, self._weights, length, rates, epochs=1)
            self._starts = curves[:, :, 0], scores
        return self._starts

    def _weight(self, one: "Autoencoder") -> float:
        return 0.0 if self._jobs[0].labels is None else float(one.label_weight)

    def _train(
        self, some: list["Autoencoder"], weights: list[float], length: Length,
        rates: list[float], epochs: int | None = None,
    ) -> tuple[np.ndarray, np.ndarray | None]:  # fmt: skip
        """Return held-out errors by candidate, fold and report, and scores by the first two."""
        jobs = self._jobs
        lanes = [(one, fold) for one in some for fold in range(len(jobs))]
        folds = [fold for _, fold in lanes]
        noises = [one._noise() for one, _ in lanes]
        places = [self._weights.index(weight) for weight in weights for _ in jobs]
        terms = self._terms.of(
            [place * len(jobs) + fold for place, fold in zip(places, folds, strict=True)]
        )
        labels = jobs[0].labels
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
            labels=None if labels is None else labels.values,
            labelled=None if labels is None else labels.weights,
            label_weights=terms.label_weights,
            parameters=terms.parameters,
            frames=terms.frame,
            on_progress=None if epochs else self._report,
        )
        if training.interrupted:
            raise KeyboardInterrupt
        if self._report is not None and not epochs:
            self._report.next()
        errors = training.history[:, :, training.measures.index("val_loss")].astype(float)
        if labels is not None and terms.label_weights is not None:
            label = training.history[:, :, training.measures.index("val_label")]
            errors = errors - np.array(terms.label_weights)[:, None] * label
        errors = errors.reshape(len(some), len(jobs), -1)
        if self._probe is None:
            return errors, None
        return errors, self._scores(training, terms, folds).reshape(len(some), -1)

    def _scores(self, training: Training, terms: LaneTerms, folds: list[int]) -> np.ndarray:
        """Return what the probe scores of each lane; shape (lanes,)."""
        assert self._probe is not None
        if terms.frame is not None:
            training = self._first._in_columns(self._networks, training, terms.frame)
        variables, encoder = self._networks.trained.variables, self._networks.encoder
        found = []
        for lane, fold in enumerate(folds):
            values = {
                id(variable): arrays[lane]
                for variable, arrays in zip(variables, training.weights, strict=True)
            }
            found.append(self._probe.score(forward(encoder, self._jobs[0].x, values), fold))
        return np.array(found)
