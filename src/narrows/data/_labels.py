"""Labels at the door of a comparison: classes or numbers."""

from typing import Any

import numpy as np
import pandas as pd

from narrows._checks import listed, refusal
from narrows.data._containers import as_numpy_takes
from narrows.data._from_r import with_gaps
from narrows.data._partition import MAX_CLASS_CODES


def label_kind(y: Any) -> str:
    """Say whether labels are classes or numbers.

    Parameters
    ----------
    y : array-like of shape (n_rows,)
        Labels.

    Returns
    -------
    {"classes", "numbers"}
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
    ('classes', 'numbers', 'classes')
    """
    return kind_of(y, "label_kind")


def kind_of(y: Any, caller: str) -> str:
    """Return what `label_kind` does.

    Shapes: `y` (n_rows,).
    """
    labels = _as_series(y, caller)
    if pd.api.types.is_float_dtype(labels.dtype):
        return "numbers"
    if not pd.api.types.is_integer_dtype(labels.dtype):
        return "classes"
    distinct = labels.nunique()
    few = distinct <= MAX_CLASS_CODES and 2 * distinct <= len(labels)
    return "classes" if few else "numbers"


def check_labels(y: Any, n_rows: int, caller: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return class codes and class names.

    Shapes: `y` (n_rows,), `codes` (n_rows,) returned.
    """
    labels = _complete(y, n_rows, caller)
    codes, levels = pd.factorize(labels, sort=True)
    if len(levels) < 2:
        raise refusal(
            caller,
            "y",
            "have at least two classes",
            f"{len(levels)}, {str(levels[0])!r} in all {n_rows} rows",
        )
    return codes, tuple(str(level) for level in levels)


def check_shared(codes: np.ndarray, names: tuple[str, ...], caller: str) -> None:
    """Raise ValueError for classes of one row each: what trains has none that is tested."""
    if len(names) == len(codes):
        raise refusal(
            caller,
            "y",
            "have classes of several rows",
            f"another in each of {len(codes)} rows, such as {listed(names, 3)},",
            "It seems to name the rows. Name another column as the label.",
        )


def check_numbers(y: Any, n_rows: int, caller: str) -> np.ndarray:
    """Return labels that are numbers.

    Shapes: `y` (n_rows,), (n_rows,) returned.
    """
    labels = _complete(y, n_rows, caller)
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
            caller, "y", "have different numbers to predict", f"{values[0]:g} in all {n_rows} rows"
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
