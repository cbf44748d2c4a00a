"""Which candidate, and how long: the one-standard-error rule on paired differences."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from narrows.embedders.tuning._curves import Trial


SCORINGS = ("reconstruction", "label", "both")  # what may choose among candidates


class Choice(NamedTuple):
    """What the rule chooses.

    Attributes
    ----------
    trial : int
        The number of the candidate's training.
    trained : bool
        False where the start, before the first step, is as good.
    best : int
        The training with the least mean held-out error.
    """

    trial: int
    trained: bool
    best: int


def choose(start: np.ndarray, ends: np.ndarray, sizes: np.ndarray, shares: np.ndarray) -> Choice:
    """Choose by held-out errors.

    The training with the least mean error is looked for. Then the one-standard-error rule
    (Breiman, Friedman, Olshen and Stone 1984, section 3.4.3; Hastie, Tibshirani and Friedman
    2009, section 7.10), on differences that are paired by fold, as folds differ more than
    candidates do: where the start's mean difference from the best lies within its standard error,
    no step is made; otherwise, of the smallest networks within theirs, the best is taken.

    Shapes: `start` (folds,) or (trials, folds), `ends` (trials, folds), NaN where a training
    diverged; `sizes` (trials,), numbers of weights; `shares` (folds,), of the held-out rows.
    """
    means = ends @ shares
    means = np.where(np.isfinite(means), means, np.inf)
    if not np.isfinite(means).any():
        raise ValueError("every candidate's held-out error is infinite or not a number")
    best = int(means.argmin())
    starts = np.broadcast_to(start, ends.shape)
    if within(starts[best], ends[best], shares):
        return Choice(best, False, best)
    near = [
        trial
        for trial in range(len(ends))
        if sizes[trial] < sizes[best] and within(ends[trial], ends[best], shares)
    ]
    if not near:
        return Choice(best, True, best)
    least = min(sizes[trial] for trial in near)
    trial = min((one for one in near if sizes[one] == least), key=lambda one: means[one])
    # As good as the best, but is it better than where it starts?
    return Choice(trial, not within(starts[trial], ends[trial], shares), best)


def choice_among(
    trials: Sequence["Trial"], candidates: Collection[int], shares: np.ndarray
) -> Choice:
    """Choose among the trials of some candidates, as `choose` does; shape `shares` (folds,)."""
    own = [place for place, trial in enumerate(trials) if trial.candidate in candidates]
    choice = choose(
        np.stack([trials[place].errors[:, 0] for place in own]),
        np.stack([trials[place].errors[:, -1] for place in own]),
        np.array([trials[place].size for place in own]),
        shares,
    )
    return Choice(own[choice.trial], choice.trained, own[choice.best])


def within(errors: np.ndarray, reference: np.ndarray, shares: np.ndarray) -> bool:
    """Whether errors exceed reference errors by at most a standard error of the difference.

    Shapes: (folds,).
    """
    excess = errors - reference
    spread = excess.std(ddof=1) / np.sqrt(len(excess))
    return bool(np.isfinite(excess).all() and excess @ shares <= spread)
