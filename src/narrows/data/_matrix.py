"""The one door from a table to an array of numbers."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from narrows._checks import listed
from narrows._errors import TableTypeError
from narrows.data._columns import Column, columns_of
from narrows.data._containers import (
    as_array,
    as_frame,
    check_size,
    names_of,
    positional,
)
from narrows.data._precision import coarse
from narrows.data._row_names import numbers_that_name_rows
from narrows.data.reading._numbers_in_text import is_plain

WHAT = {"text": "text", "date": "dates"}


@dataclass(frozen=True)
class Matrix:
    """Rows of numbers.

    Attributes
    ----------
    values : ndarray of shape (n_rows, n_columns), or (n_rows, ...) for images
        C-contiguous and finite.
    names : tuple of str or None
        The columns' names; None if they have none.
    coarse : tuple of str
        Columns that float32 is too coarse for, if that was asked; by their names or x0, x1, ….
    row_names : tuple of str
        Columns that seem to name the rows, if that was asked.
    """

    values: np.ndarray
    names: tuple[str, ...] | None
    coarse: tuple[str, ...] = ()
    row_names: tuple[str, ...] = ()


def to_matrix(
    X: Any,
    *,
    owner: str,
    names: Sequence[str] | None = None,
    dtype: str = "float32",
    allow_images: bool = False,
    copy: bool = False,
    min_rows: int = 1,
    look: bool = False,
) -> Matrix:
    """Turn rows into a matrix of finite numbers, or say what stands in the way.

    The same data gives the same bits from every container: values are rounded once, from
    float64.

    Parameters
    ----------
    X : table or array-like of shape (n_rows, n_columns)
        A table of pandas, polars or Arrow, an array of any numeric dtype, or a list of rows.
    owner : str
        Who asks, for the messages: the name of the estimator.
    names : sequence of str, default=None
        What to call columns without names in messages; None calls them x0, x1 and so on.
    dtype : str, default="float32"
        Of the result: "float32" or "float64".
    allow_images : bool, default=False
        Whether arrays may have more than two dimensions.
    copy : bool, default=False
        Whether the result must not share memory with `X`.
    min_rows : int, default=1
        Fewer rows are an error.
    look : bool, default=False
        Whether to look for columns that `dtype` is too coarse for, or that name the rows.

    Returns
    -------
    Matrix

    Raises
    ------
    TypeError
        If `X` is sparse or a query, or a cell holds an object that is no number.
    ValueError
        If there is text, NaN, infinity or a value too large for `dtype`; if there are too few
        rows, no columns, repeated column names or not two dimensions.
    """
    frame = as_frame(X, owner)
    if frame is None:
        array: np.ndarray | None = as_array(X, owner, allow_images=allow_images)
        found = None
    else:
        array, found = _plain_array(frame), names_of(frame)
    check_size(frame.shape if array is None else array.shape, owner, min_rows=min_rows)
    width = frame.shape[1] if array is None else array.shape[1]
    called = found or (tuple(names) if names is not None else positional(width))
    if array is None or not _is_numeric(array):
        array = _from_objects(X if array is None else array, called, owner)
    # Whole numbers beyond 2^53 round twice; in a table with floats they always did.
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        array = array.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        values = np.array(array, dtype=dtype, order="C", copy=True if copy else None)
        total = values.sum(dtype=np.float64)
    if not np.isfinite(total):
        _check_finite(array, values, called, owner)
    return _looked_at(array, values, found, called) if look else Matrix(values, found)


def _looked_at(
    array: np.ndarray, values: np.ndarray, found: tuple[str, ...] | None, called: tuple[str, ...]
) -> Matrix:
    """Return a matrix with what is odd about its columns."""
    if array.ndim > 2:
        called = positional(int(np.prod(array.shape[1:])))
        array = array.reshape(len(array), -1)
    lost = coarse(array) if values.dtype == np.float32 else np.zeros(len(called), bool)
    odd = numbers_that_name_rows(array, called) if values.ndim == 2 else np.zeros(len(called), bool)
    names = [tuple(called[k] for k in np.flatnonzero(which)) for which in (lost, odd)]
    return Matrix(values, found, *names)


def check_columns(
    expected_names: Sequence[str] | None,
    expected_count: int,
    got_names: Sequence[str] | None,
    got_count: int,
    owner: str,
) -> None:
    """Compare the columns of new rows with those of `fit`, as scikit-learn does.

    Parameters
    ----------
    expected_names : sequence of str or None
        The columns' names in `fit`.
    expected_count : int
        Their number.
    got_names : sequence of str or None
        The new rows' column names.
    got_count : int
        Their number.
    owner : str
        The name of the estimator.

    Raises
    ------
    ValueError
        If columns are missing, unexpected or out of order, all of which are listed.

    Warns
    -----
    UserWarning
        If only one of the two has names.
    """
    if expected_names is not None and got_names is not None:
        if list(expected_names) != list(got_names):
            raise ValueError(_difference(list(expected_names), list(got_names), owner))
    elif expected_names is not None:
        warnings.warn(
            f"X does not have valid feature names, but {owner} was fitted with feature names",
            UserWarning,
            stacklevel=4,
        )
    elif got_names is not None:
        warnings.warn(
            f"X has feature names, but {owner} was fitted without feature names",
            UserWarning,
            stacklevel=4,
        )
    if got_count != expected_count:
        raise ValueError(
            f"X has {got_count} features, but {owner} is expecting {expected_count} features as "
            "input."
        )


def _difference(expected: list[str], got: list[str], owner: str) -> str:
    missing = [name for name in expected if name not in set(got)]
    unexpected = [name for name in got if name not in set(expected)]
    lines = ["The feature names should match those that were passed during fit."]
    if unexpected:
        lines += ["Feature names unseen at fit time:", *_bullets(sorted(unexpected))]
    if missing:
        lines += ["Feature names seen at fit time, yet now missing:", *_bullets(sorted(missing))]
    in_fit = [name for name in expected if name in set(got)]
    now = [name for name in got if name in set(expected)]
    if in_fit != now:
        moved = [f"{b!r} where {a!r} was" for a, b in zip(in_fit, now, strict=True) if a != b]
        lines += ["Feature names must be in the same order as they were in fit."]
        lines += ["Out of order:", *_bullets(moved)]
    lines.append(f"{owner} was fitted on the columns {listed(expected, 20)}.")
    return "\n".join(lines)


def _bullets(entries: list[str], most: int = 20) -> list[str]:
    more = [f"- ... and {len(entries) - most} more"] if len(entries) > most else []
    return [f"- {entry}" for entry in entries[:most]] + more


def _plain_array(frame: Any) -> np.ndarray | None:
    """Return a table of one kind of float at once; others are read column by column."""
    kinds = {str(dtype) for dtype in frame.schema.values()}
    if kinds not in ({"Float64"}, {"Float32"}):
        return None
    array = frame.to_numpy()
    return array if array.dtype.kind == "f" else None


def _is_numeric(array: np.ndarray) -> bool:
    # bfloat16 and its like, of JAX, say they are void.
    extension = array.dtype.kind == "V" and array.dtype.type is not np.void
    return array.dtype.kind in "fiub" or extension


def _from_objects(X: Any, called: tuple[str, ...], owner: str) -> np.ndarray:
    """Read column by column; shape (n_rows, n_columns), float64."""
    shape = None
    if isinstance(X, np.ndarray) and X.ndim > 2:
        shape, X = X.shape, X.reshape(len(X), -1)
        called = positional(X.shape[1])
    columns = columns_of(X, owner)[0]
    wrong = [
        (name, column)
        for name, column in zip(called, columns, strict=True)
        if column.kind not in {"number", "boolean", "missing"}
    ]
    if wrong:
        _raise_not_numbers(wrong, owner)
    values = np.column_stack([column.values for column in columns])
    return values if shape is None else values.reshape(shape)


def _raise_not_numbers(wrong: list[tuple[str, Column]], owner: str) -> None:
    name, column = wrong[0]
    row, value = first_odd(column)
    names = [name for name, _ in wrong]
    odd_text = column.kind == "other" and isinstance(value, str)
    what = "text" if odd_text else WHAT.get(column.kind, column.dtype)
    message = (
        f"{owner} needs numbers. Got {what} in {'columns' if wrong[1:] else 'column'} "
        f"{listed(names)} instead, first {value!r} in row {row} (counted from 0) of {name!r}"
    )
    if what == "object":
        # The words of float(), which scikit-learn's checks wait for.
        raise TableTypeError(
            f"{message}: the argument must be a string or a real number, not "
            f"{type(value).__name__!r}. Convert or drop the column."
        )
    raise ValueError(
        f"{message}. Drop the column, convert it, or let narrows.TablePreprocessor encode it."
    )


def first_odd(column: Column, is_right: Callable[[str], bool] = is_plain) -> tuple[int, Any]:
    """Return the row and value of a column's first value that is neither missing nor right.

    Numbers are right, or of text what is said to be. If all are, the first value that is there.
    """
    numbers = (int, float, np.number) if column.kind == "other" else ()
    odd = np.array([not isinstance(value, numbers) for value in column.values])
    if column.kind == "text":  # 4O says more than the 75 before it
        words = np.array([not (isinstance(v, str) and is_right(v)) for v in column.values])
        odd = words if (words & ~column.missing).any() else odd
    row = int(np.argmax(odd & ~column.missing))
    value = column.values[row]
    if column.kind == "date":
        return row, str(np.datetime64(int(value // 1), "D"))
    return row, value.item() if isinstance(value, np.generic) else value


def _check_finite(
    array: np.ndarray, values: np.ndarray, called: tuple[str, ...], owner: str
) -> None:
    finite = np.isfinite(values)
    if finite.all():  # only their sum is too large
        return
    original = np.asarray(array, dtype=np.float64)
    lost = np.isfinite(original) & ~finite
    bad = ~np.isfinite(original) if not lost.all() and (~np.isfinite(original)).any() else lost
    first = tuple(int(index) for index in np.argwhere(bad)[0])
    where = f"the first in row {first[0]} (counted from 0), {_place(first, called)}"
    if bad is lost:
        raise ValueError(
            f"{owner} computes in {values.dtype}, which ends at {np.finfo(values.dtype).max:.2g}. "
            f"Got {lost.sum()} larger values instead, {where}: {original[first]:g}. Rescale the "
            "column, for example with narrows.TablePreprocessor."
        )
    nans = int(np.isnan(original).sum())
    infinite = int(np.isinf(original).sum())
    counts = [f"{nans} NaN"] * bool(nans) + [f"{infinite} infinite (inf)"] * bool(infinite)
    raise ValueError(
        f"{owner} needs finite numbers. Got {' and '.join(counts)} instead, {where}. Drop those "
        "rows, or fill in missing values with narrows.TablePreprocessor."
    )


def _place(index: tuple[int, ...], called: tuple[str, ...]) -> str:
    if len(index) == 2:
        return f"column {called[index[1]]!r}"
    return f"at {list(index[1:])} of the image"
