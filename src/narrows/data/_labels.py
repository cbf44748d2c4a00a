"""Labels at the door of a comparison: looked at once, and passed on as one object."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from narrows._checks import check_option, listed, refusal
from narrows.data._containers import as_numpy_takes
from narrows.data._from_r import with_gaps
from narrows.data._partition import MAX_CLASS_CODES

CLASSIFICATION, REGRESSION = TASKS = ("classification", "regression")
# What each task predicts, in plain words; also what files of older versions call the task.
PREDICTED = {CLASSIFICATION: "classes", REGRESSION: "numbers"}


@dataclass(frozen=True, eq=False)
class Labels:
    """What is to be predicted, checked.

    Attributes
    ----------
    task : {"classification", "regression"}
    given : array-like of shape (n_rows,)
        As the user gave them.
    series : pandas.Series of shape (n_rows,)
    values : ndarray of shape (n_rows,)
        Class codes from 0, or numbers.
    classes : tuple of str
        Class names by code: a categorical's order, otherwise sorted. Empty for numbers.
    """

    task: str
    given: Any
    series: pd.Series
    values: np.ndarray
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)


def labels_of(y: Any, n_rows: int, caller: str, task: str | None = None) -> Labels:
    """Return labels as one object, from a user's, or as they are if they are one already."""
    if isinstance(y, Labels):
        return y
    check_option(caller, "task", TASKS, task, optional=True)
    given = as_numpy_takes(y)
    task = task or task_of(given, caller)
    series = _complete(given, n_rows, caller)
    if task == REGRESSION:
        return Labels(task, given, series, _numbers(series, caller))
    codes, classes = _codes(series, caller)
    return Labels(task, given, series, codes, classes)


def label_kind(y: Any) -> str:
    """Say which task labels make: to tell classes apart, or to predict numbers.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Labels.

    Returns
    -------
    {"classification", "regression"}
        Strings, categories, booleans and dates are classes; floats are numbers. Integers are
        class codes when they have at most 20 distinct values and on average at least two rows
        per value, otherwise numbers. It is `narrows.partition`'s rule.

    Raises
    ------
    ValueError
        If `y` is not one-dimensional.

    Examples
    --------
    >>> from narrows.comparison import label_kind
    >>> label_kind(["setosa", "virginica"]), label_kind([1.5, 2.0]), label_kind([0, 1, 1, 0])
    ('classification', 'regression', 'classification')
    """
    return task_of(y, "label_kind")


def task_of(y: Any, caller: str) -> str:
    """Return what `label_kind` does.

    Shapes: `y` (n_rows,).
    """
    labels = _as_series(y, caller)
    if pd.api.types.is_float_dtype(labels.dtype):
        return REGRESSION
    if not pd.api.types.is_integer_dtype(labels.dtype):
        return CLASSIFICATION
    distinct = labels.nunique()
    few = distinct <= MAX_CLASS_CODES and 2 * distinct <= len(labels)
    return CLASSIFICATION if few else REGRESSION


def _codes(labels: pd.Series, caller: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return class codes, int of shape (n_rows,), and class names."""
    codes, levels = pd.factorize(labels, sort=True)
    if len(levels) < 2:
        raise refusal(
            caller,
            "y",
            "have at least two classes",
            f"{len(levels)}, {str(levels[0])!r} in all {len(labels)} rows",
        )
    return codes, tuple(str(level) for level in levels)


def check_shared(labels: Labels, caller: str) -> None:
    """Raise ValueError for classes of one row each: what trains has none that is tested."""
    if len(labels.classes) == len(labels):
        raise refusal(
            caller,
            "y",
            "have classes of several rows",
            f"another in each of {len(labels)} rows, such as {listed(labels.classes, 3)},",
            "It seems to name the rows. Name another column as the label.",
        )


def _numbers(labels: pd.Series, caller: str) -> np.ndarray:
    """Return labels that are numbers, float64 of shape (n_rows,)."""
    real = pd.api.types.is_numeric_dtype(labels.dtype)
    if not real or pd.api.types.is_complex_dtype(labels.dtype):
        raise refusal(
            caller,
            "y",
            "have numbers to predict",
            f"{labels.iloc[0]!r} in row 0 (counted from 0)",
            "Turn them into numbers, or predict classes.",
        )
    values = labels.to_numpy(dtype=np.float64)
    infinite = np.isinf(values)
    if infinite.any():
        raise refusal(
            caller,
            "y",
            "have finite numbers",
            f"{infinite.sum()} infinite, the first in row {infinite.argmax()} (counted from 0)",
            "Remove those rows.",
        )
    if (values == values[0]).all():
        raise refusal(
            caller,
            "y",
            "have different numbers to predict",
            f"{values[0]:g} in all {len(labels)} rows",
        )
    return values


def _complete(y: Any, n_rows: int, caller: str) -> pd.Series:
    labels = _as_series(y, caller)
    if len(labels) != n_rows:
        raise refusal(
            caller, "y", f"have a label for each of {n_rows} rows", f"{len(labels)} labels"
        )
    missing = labels.isna().to_numpy()
    if missing.any():
        raise refusal(
            caller,
            "y",
            "have a label in every row",
            f"{missing.sum()} missing, the first in row {missing.argmax()} (counted from 0)",
            "Remove those rows or fill in their labels.",
        )
    return labels


def _as_series(y: Any, caller: str) -> pd.Series:
    y = as_numpy_takes(y)
    shape = tuple(y.shape) if hasattr(y, "shape") else np.asarray(y, dtype=object).shape
    if len(shape) != 1:
        hint = "Use y.ravel() or choose one column." if len(shape) == 2 else ""
        raise refusal(caller, "y", "be one-dimensional, one label a row", f"shape {shape}", hint)
    return series_of(y)


def series_of(values: Any) -> pd.Series:
    """Return one-dimensional values as a series that counts rows from 0."""
    values = as_numpy_takes(values)
    if isinstance(values, pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        series = pd.Series(values)
    else:
        # pandas sees a missing value in a list of strings, numpy would turn it into text.
        series = pd.Series(values if isinstance(values, list | tuple) else np.asarray(values))
    return with_gaps(series.reset_index(drop=True).infer_objects())
