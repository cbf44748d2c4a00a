"""Labels of the rows of a fit, as a training takes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import huber

from narrows._checks import refusal
from narrows.data import CLASSIFICATION, series_of, task_of

if TYPE_CHECKING:
    from narrows.objectives import LabelLoss

LABEL_LOSSES = ("crossentropy", "mse", "huber")
_UNLABELLED = -1  # scikit-learn's code for a row without a class


@dataclass(frozen=True, eq=False)
class FitLabels:
    """What a network is to predict from its codes.

    Attributes
    ----------
    loss : {"crossentropy", "mse", "huber"}
    classes : ndarray of shape (n_classes,) or None
        The classes by code; None for numbers.
    values : float32 ndarray of shape (n_rows,)
        Class codes, or numbers less `mean`, over `scale`; 0 where a row has no label.
    weights : float32 ndarray of shape (n_rows,)
        Factors of the labels' losses, 1 on average over all rows; 0 where a row has no label.
    guess : float
        The loss of the best guess that is the same for all rows.
    mean, scale : float
    """

    loss: "LabelLoss"
    classes: np.ndarray | None
    values: np.ndarray
    weights: np.ndarray
    guess: float
    mean: float = 0.0
    scale: float = 1.0

    @property
    def n_outputs(self) -> int:
        """How many numbers the model of the labels gives."""
        return 1 if self.classes is None else len(self.classes)

    @property
    def known(self) -> np.ndarray:
        """Which rows have a label; bool of shape (n_rows,)."""
        return self.weights > 0

    def with_rows(self, count: int) -> "FitLabels":
        """Return the same with so many rows without a label behind."""
        values, weights = (
            np.concatenate([part, np.zeros(count, np.float32)])
            for part in (self.values, self.weights)
        )
        return FitLabels(
            self.loss, self.classes, values, weights, self.guess, self.mean, self.scale
        )


def labels_of_fit(owner: Any, y: Any, n_rows: int) -> FitLabels:
    """Return the labels of a fit of an embedder; raise where they teach nothing."""
    if y is None:
        raise refusal(
            owner, "y", "have labels, as 'label_weight' is not 0", "None",
            "Pass labels to fit, or set label_weight=0.",
        )  # fmt: skip
    shape = np.shape(y)
    if len(shape) == 2 and shape[1] == 1:
        y = y.iloc[:, 0] if hasattr(y, "iloc") else np.asarray(y)[:, 0]
    elif len(shape) != 1:
        raise refusal(owner, "y", "be one-dimensional, one label a row", f"shape {shape}")
    series = series_of(y)
    if len(series) != n_rows:
        raise refusal(owner, "y", f"have a label for each of {n_rows} rows", f"{len(series)}")
    if _is_of_classes(owner, series):
        return _classes(owner, series)
    return _numbers(owner, series)


def _is_of_classes(owner: Any, series: pd.Series) -> bool:
    if owner.label_loss is not None:
        return owner.label_loss == "crossentropy"
    known = series[~_missing(series)]
    if not len(known):
        _refuse_empty(owner)
    # Gaps turn whole numbers into floats; class codes with gaps are still class codes.
    whole = pd.api.types.is_float_dtype(known.dtype) and len(known) < len(series)
    if whole and (known == known.round()).all():
        known = known.astype(np.int64)
    return task_of(known, type(owner).__name__) == CLASSIFICATION


def _missing(series: pd.Series) -> np.ndarray:
    """Say which rows have no label: gaps, and -1 among whole numbers."""
    missing = series.isna().to_numpy()
    if pd.api.types.is_integer_dtype(series.dtype):
        missing = missing | (series == _UNLABELLED).to_numpy(dtype=bool, na_value=False)
    return missing


def _refuse_empty(owner: Any) -> None:
    raise refusal(owner, "y", "have a label in some row", "none", "Set label_weight=0 without any.")


def _classes(owner: Any, series: pd.Series) -> FitLabels:
    missing = _missing(series)
    codes, classes = pd.factorize(series[~missing], sort=True)
    if len(classes) < 2:
        raise refusal(
            owner, "y", "have rows of at least two classes", f"{len(classes)}",
            "Rows of class -1 count as rows without a label." if missing.any() else "",
        )  # fmt: skip
    counts = np.bincount(codes)
    weight = np.ones(len(classes))
    if owner.class_weight is not None:  # "balanced": every class counts as much
        weight = len(codes) / (len(classes) * counts)
    values, weights = np.zeros((2, len(series)), np.float32)
    values[~missing] = codes
    weights[~missing] = weight[codes]
    weights *= len(series) / weights.sum()
    shares = counts * weight / (counts * weight).sum()
    guess = float(-(shares * np.log(shares)).sum())
    return FitLabels("crossentropy", np.asarray(classes), values, weights, guess)


def _numbers(owner: Any, series: pd.Series) -> FitLabels:
    known = ~series.isna().to_numpy()
    if not known.any():
        _refuse_empty(owner)
    if not pd.api.types.is_numeric_dtype(series.dtype):
        raise refusal(
            owner, "y", f"have numbers for label_loss={owner.label_loss!r}",
            f"{series[known].iloc[0]!r}", "Leave label_loss out for classes.",
        )  # fmt: skip
    numbers = series[known].to_numpy(dtype=np.float64)
    if not np.isfinite(numbers).all():
        raise refusal(owner, "y", "have finite numbers", f"{numbers[~np.isfinite(numbers)][0]}")
    mean, scale = float(numbers.mean()), float(numbers.std())
    if not scale > 0:
        raise refusal(owner, "y", "have different numbers", f"{numbers[0]:g} in all rows")
    values, weights = np.zeros((2, len(series)), np.float32)
    values[known] = (numbers - mean) / scale
    weights[known] = len(series) / known.sum()
    loss: LabelLoss = owner.label_loss or "mse"
    guess = 1.0 if loss == "mse" else float(huber(1.0, values[known].astype(np.float64)).mean())
    return FitLabels(loss, None, values, weights, guess, mean, scale)


def label_weights_of(
    weights: Sequence[float], labels: Sequence[FitLabels | None], sizes: np.ndarray
) -> list[float] | None:
    """Return what each job's loss of labels is multiplied by, to stand beside that of rows.

    Both count as shares of what there is to explain: `sizes` are the rows' variances.
    """
    if any(one is None for one in labels):
        return None
    return [
        weight * float(size) / one.guess
        for weight, one, size in zip(weights, labels, sizes, strict=True)
        if one is not None
    ]
