"""The choice between giving rows back and predicting labels: a front, and a rule on it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from narrows.embedders.tuning._choice import Choice, choose, within
from narrows.embedders.tuning._curves import Trial

DEARER = 1.2  # of the least reconstruction error: what a better prediction may cost


@dataclass(frozen=True)
class _Option:
    """A training at its end, or at its start."""

    trial: int
    trained: bool
    weight: float
    errors: np.ndarray
    scores: np.ndarray

    def is_number(self) -> bool:
        return bool(np.isfinite(self.errors).all() and np.isfinite(self.scores).all())


def front_choice(
    trials: Sequence[Trial], candidates: Collection[int], shares: np.ndarray, scoring: str
) -> Choice:
    """Choose among the trials of some candidates by a probe's score.

    Of trainings, and of where they start, those are looked at whose mean reconstruction error is
    at most 1.2 times the least; with ``"label"`` all are. Of these the best mean score is looked
    for. Where labels weigh less, and the mean score lies within a standard error of the
    difference, paired by fold, from the best, they helped nobody: the least weight is taken, of
    that the best score, or where labels weigh nothing the training that `choose` takes.

    Shapes: `shares` (folds,).
    """
    own = [place for place, trial in enumerate(trials) if trial.candidate in candidates]
    options = [option for place in own for option in _options(place, trials[place])]
    options = [option for option in options if option.is_number()]
    if not options:
        raise ValueError("every candidate's held-out error is infinite or not a number")
    errors = np.array([option.errors @ shares for option in options])
    if scoring == "both":
        kept = errors <= _affordable(errors.min())
        options = [option for option, is_kept in zip(options, kept, strict=True) if is_kept]
    best = max(options, key=lambda option: option.scores @ shares)
    near = [one for one in options if within(-one.scores, -best.scores, shares)]
    least = min(one.weight for one in near)
    if least == 0 and scoring == "both":
        return _without_labels(trials, own, shares, best.trial)
    lightest = [one for one in near if one.weight == least]
    chosen = max(lightest, key=lambda option: option.scores @ shares)
    return Choice(chosen.trial, chosen.trained, best.trial)


def _affordable(least: float) -> float:
    """Return the largest error that may be chosen; losses, and rounding, may be negative."""
    return float(least + (DEARER - 1) * abs(least))


def _options(place: int, trial: Trial) -> list[_Option]:
    assert trial.scores is not None
    assert trial.start_scores is not None
    return [
        _Option(place, True, trial.label_weight, trial.errors[:, -1], trial.scores),
        _Option(place, False, trial.label_weight, trial.errors[:, 0], trial.start_scores),
    ]


def _without_labels(
    trials: Sequence[Trial], own: list[int], shares: np.ndarray, best: int
) -> Choice:
    """Choose as where there are no labels, among trainings in which they weigh nothing."""
    plain = [place for place in own if trials[place].label_weight == 0]
    found = choose(
        np.stack([trials[place].errors[:, 0] for place in plain]),
        np.stack([trials[place].errors[:, -1] for place in plain]),
        np.array([trials[place].size for place in plain]),
        shares,
    )
    return Choice(plain[found.trial], found.trained, best)


def by_front(shares: np.ndarray, scoring: str) -> Callable[[Sequence[Trial], int], list[Trial]]:
    """Return what picks so many trials that are worth a longer training; `shares` (folds,).

    Of every label weight the best by error, then by score among those that may be chosen.
    """

    def pick(trials: Sequence[Trial], count: int) -> list[Trial]:
        sound = [one for one in trials if np.isfinite(one.end(shares))]
        least = min((one.end(shares) for one in sound), default=0.0)
        may = [one for one in sound if scoring == "label" or one.end(shares) <= _affordable(least)]
        kept: list[Trial] = []
        for weight in sorted({one.label_weight for one in sound}):
            own = [one for one in sound if one.label_weight == weight]
            kept.append(min(own, key=lambda one: one.end(shares)))
        by_score = sorted(may, key=lambda one: -_mean(one.scores, shares))
        kept += [one for one in by_score if one not in kept]
        return kept[: max(count, 1)]

    return pick


def _mean(scores: np.ndarray | None, shares: np.ndarray) -> float:
    mean = np.nan if scores is None else float(scores @ shares)
    return mean if np.isfinite(mean) else -np.inf
