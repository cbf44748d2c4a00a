"""Measures of a probe's predictions, each with what counts as a difference that matters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from narrows._checks import did_you_mean
from narrows.data import CLASSIFICATION, REGRESSION

# Half a vote of 500 trees.
FLOOR = 0.001


@dataclass(frozen=True)
class Measure:
    """One way to score.

    Parameters
    ----------
    name : str
        As in frames, e.g. ``"log_loss"``.
    title : str
        As in text and figures, e.g. ``"log loss"``.
    kind : {"classification", "regression", "embedding"}
        What is scored: predicted classes, predicted numbers, or the embedding itself.
    higher_is_better : bool
    needs : {"labels", "probabilities", "embedding"}
        What `function` takes as its second argument.
    rope : float
        Half-width of the region of practical equivalence: smaller differences do not matter.
    relative : bool
        Whether `rope` is a share of the scores, for a measure in the data's own units.
    factor : int
        What a difference is multiplied with where people read it: 100 for percentage points.
    function : callable or None
        Called with the true labels and what the measure needs; None for measures of the
        embedding.
    """

    name: str
    title: str
    kind: str
    higher_is_better: bool
    needs: str
    rope: float
    relative: bool = False
    factor: int = 1
    function: Callable[[Any, Any], float] | None = None

    @property
    def unit(self) -> str:
        """What a difference is told in, e.g. ``"points of accuracy"``."""
        return self.title if self.factor == 1 else f"points of {self.title}"

    def told(self, difference: float) -> str:
        """Return a difference as people read it: times `factor`, with its sign.

        Parameters
        ----------
        difference : float
            Of two scores.

        Returns
        -------
        str
            Without the unit.
        """
        return signed(self.factor * difference, 3 if self.factor == 1 else 1)

    def rope_for(self, scores: Any) -> float:
        """Return the half-width of the region of practical equivalence, in the measure's units.

        Parameters
        ----------
        scores : array-like of float
            Scores to which a relative region refers, best those of the reference; NaN are left
            out.

        Returns
        -------
        float
            `rope`, or where it is relative, `rope` times the median score.
        """
        if not self.relative:
            return self.rope
        scores = np.asarray(scores, dtype=np.float64)
        finite = scores[np.isfinite(scores)]
        return self.rope * float(np.median(np.abs(finite))) if len(finite) else 0.0


def signed(number: float, digits: int) -> str:
    """Return a number with its sign, a true minus where it is negative."""
    return f"{number:+.{digits}f}".replace("-", "−")


def accuracy(y_true: Any, y_pred: Any) -> float:
    """Return the share of rows predicted right.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        True and predicted classes.

    Returns
    -------
    float
        Between 0 and 1.
    """
    y_true, y_pred = _pair(y_true, y_pred, "accuracy")
    return float(np.mean(y_true == y_pred))


def kappa(y_true: Any, y_pred: Any) -> float:
    """Return Cohen's kappa: agreement beyond what the classes' shares alone would give.

    With observed agreement p and agreement expected by chance e, (p − e) / (1 − e).

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        True and predicted classes.

    Returns
    -------
    float
        At most 1. NaN where it is not defined, that is when both name one and the same class
        in every row; caret gives NA there and leaves such resamples out of its means.

    References
    ----------
    Cohen, J. (1960). A coefficient of agreement for nominal scales. Educational and
    Psychological Measurement 20(1), 37–46. https://doi.org/10.1177/001316446002000104
    """
    y_true, y_pred = _pair(y_true, y_pred, "kappa")
    names, codes = np.unique(np.concatenate([y_true, y_pred]), return_inverse=True)
    shares = [
        np.bincount(part, minlength=len(names)) / len(y_true)
        for part in (codes[: len(y_true)], codes[len(y_true) :])
    ]
    by_chance = float(shares[0] @ shares[1])
    if len(names) == 1:
        return float("nan")
    return (float(np.mean(y_true == y_pred)) - by_chance) / (1 - by_chance)


def log_loss(
    y_true: Any, probabilities: Any, classes: Sequence[Any] | None = None, floor: float = FLOOR
) -> float:
    """Return the mean of −log(probability given to the true class), in nats.

    A forest of 500 trees says 0 where it means less than one vote in 500, and −log 0 is
    infinite. So probabilities below `floor` are raised to it and each row is divided by its sum.
    The same floor holds for every probe, or one could win by rounding.

    Parameters
    ----------
    y_true : array-like of shape (n_rows,)
        True classes.
    probabilities : array-like of shape (n_rows, n_classes)
        Each row's probabilities, not negative.
    classes : sequence of length n_classes, default=None
        What the columns are; None is the codes 0, 1, 2, …
    floor : float, default=0.001
        Least probability before division, above 0 and below 1; half a vote of 500 trees.

    Returns
    -------
    float
        From 0 on; at most about −log `floor`, 6.9 nats.

    Raises
    ------
    ValueError
        If shapes differ, a true class has no column, or `floor` is out of range.

    Examples
    --------
    >>> from narrows.comparison import log_loss
    >>> round(log_loss(["no", "yes"], [[0.5, 0.5], [0.0, 1.0]], classes=["no", "yes"]), 4)
    0.3471
    """
    P = np.asarray(probabilities, dtype=np.float64)
    columns = _columns(np.asarray(y_true), P, classes)
    if not 0 < floor < 1:
        raise ValueError(
            f"The 'floor' parameter of log_loss must be above 0 and below 1. Got {floor!r} instead."
        )
    P = np.maximum(P, floor)
    P /= P.sum(axis=1, keepdims=True)
    return float(-np.log(P[np.arange(len(P)), columns]).mean())


def r2(y_true: Any, y_pred: Any) -> float:
    """Return R², the share of the variance of the true numbers that is predicted.

    One minus the squared errors' sum over that of predicting the true numbers' mean.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        True and predicted numbers.

    Returns
    -------
    float
        At most 1; negative where the mean would have been better. NaN where the true numbers
        are all the same, a single one included.
    """
    y_true, y_pred = _pair(y_true, y_pred, "r2")
    y_true = y_true.astype(np.float64)
    if (y_true == y_true[0]).all():
        return float("nan")
    residual = np.sum((y_true - np.asarray(y_pred, dtype=np.float64)) ** 2)
    return float(1 - residual / np.sum((y_true - y_true.mean()) ** 2))


def rmse(y_true: Any, y_pred: Any) -> float:
    """Return the root of the mean squared error, in the labels' units.

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_rows,)
        True and predicted numbers.

    Returns
    -------
    float
    """
    y_true, y_pred = _pair(y_true, y_pred, "rmse")
    return float(np.sqrt(np.mean((y_true - np.asarray(y_pred, dtype=np.float64)) ** 2)))


def _pair(y_true: Any, y_pred: Any, owner: str) -> tuple[np.ndarray, np.ndarray]:
    # scikit-learn's own checks of these arrays would cost a tenth of a comparison's scoring.
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_true.ndim != 1 or y_true.shape != y_pred.shape or not len(y_true):
        raise ValueError(
            f"The 'y_pred' parameter of {owner} must have a value for each of y_true's. "
            f"Got shapes {y_pred.shape} and {y_true.shape} instead."
        )
    return y_true, y_pred


# Regions of practical equivalence. Accuracy: a point, as Benavoli et al. (2017, JMLR 18(77)) take
# it. Kappa: what a point of accuracy is with two classes of one size, 0.01 / (1 − 1/2). Log loss:
# the true class gets one per cent more of probability. R²: one per cent of the variance. The rest
# is in the data's units, or has no scale that all data share: one per cent of the scores, or one
# point.
_ALL = (
    Measure(
        "accuracy", "accuracy", CLASSIFICATION, True, "labels", 0.01, factor=100, function=accuracy
    ),
    Measure("kappa", "kappa", CLASSIFICATION, True, "labels", 0.02, function=kappa),
    Measure(
        "log_loss", "log loss", CLASSIFICATION, False, "probabilities", 0.01, function=log_loss
    ),
    Measure("r2", "R²", REGRESSION, True, "labels", 0.01, function=r2),
    Measure("rmse", "RMSE", REGRESSION, False, "labels", 0.01, relative=True, function=rmse),
    Measure(
        "reconstruction_error", "reconstruction error", "embedding", False, "embedding", 0.01,
        relative=True,
    ),
    Measure("trustworthiness", "trustworthiness", "embedding", True, "embedding", 0.01),
    Measure("continuity", "continuity", "embedding", True, "embedding", 0.01),
    Measure(
        "neighbour_agreement", "agreement of neighbours", "embedding", True, "embedding", 0.01
    ),
)  # fmt: skip
MEASURES = {measure.name: measure for measure in _ALL}


def measures_of(kind: str) -> tuple[Measure, ...]:
    """Return the measures of predicted classes or numbers, the first the one verdicts are about."""
    return tuple(measure for measure in _ALL if measure.kind == kind)


def measure_named(name: str) -> Measure:
    """Return a measure by its name."""
    if name in MEASURES:
        return MEASURES[name]
    advice = did_you_mean(name, MEASURES, cutoff=0.5) or "See the list."
    raise ValueError(
        f"The 'measure' parameter must be one of {', '.join(map(repr, MEASURES))}. "
        f"Got {name!r} instead. {advice}"
    )


def _columns(y_true: np.ndarray, P: np.ndarray, classes: Sequence[Any] | None) -> np.ndarray:
    if P.ndim != 2 or y_true.shape != P.shape[:1]:
        raise ValueError(
            "The 'probabilities' parameter of log_loss must be of shape (n_rows, n_classes), "
            f"with a row for each true class. Got shapes {P.shape} and {y_true.shape} instead."
        )
    names = np.arange(P.shape[1]) if classes is None else np.asarray(classes)
    if names.shape != P.shape[1:]:
        raise ValueError(
            f"The 'classes' parameter of log_loss must name {P.shape[1]} columns. "
            f"Got {len(names)} instead."
        )
    same = y_true[:, None] == names
    without = ~same.any(axis=1)
    if without.any():
        raise ValueError(
            "The 'probabilities' parameter of log_loss must have a column for every true class. "
            f"Got none for {y_true[without][0]!r} instead."
        )
    return same.argmax(axis=1)
