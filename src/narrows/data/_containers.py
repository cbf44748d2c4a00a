"""What people hand over as rows: arrays and lists, or tables of pandas, polars and Arrow."""

from collections import Counter
from typing import Any

import numpy as np

from narrows._checks import listed
from narrows._errors import TableTypeError
from narrows.data._from_r import with_nan


def as_frame(X: Any, owner: str) -> Any:
    """Wrap a table with narwhals; arrays, lists and what else there is give None."""
    if isinstance(X, np.ndarray | list | tuple):
        return None
    if hasattr(X, "toarray"):
        raise TableTypeError(
            f"{owner} needs dense rows. Got a sparse {type(X).__name__} instead. "
            "Convert it with X.toarray() if memory allows."
        )
    import narwhals as nw

    if nw.dependencies.is_into_dataframe(X):
        _check_distinct(_native_names(X), owner)
        return nw.from_native(X, eager_only=True)
    if hasattr(X, "collect") and hasattr(X, "collect_schema"):
        raise TableTypeError(
            f"{owner} needs rows that are in memory. Got a {type(X).__name__}, a query, instead. "
            "Run it with X.collect()."
        )
    if nw.dependencies.is_into_series(X):
        raise_dimensions((len(X),), owner)
    if hasattr(X, "__arrow_c_stream__"):  # record batches and other libraries' tables
        try:
            import pyarrow
        except ImportError:
            return None
        return as_frame(pyarrow.table(X), owner)
    return None


def names_of(frame: Any) -> tuple[str, ...] | None:
    """Return a narwhals frame's column names; None if they are not text, as in scikit-learn."""
    names = tuple(frame.columns)
    text = [isinstance(name, str) for name in names]
    if names and all(text):
        return tuple(str(name) for name in names)
    if any(text):
        kinds = sorted({type(name).__name__ for name in names})
        raise TableTypeError(
            "Feature names are only supported if all input features have string names. Got names "
            f"of the types {kinds} instead. Convert them with X.columns = X.columns.astype(str)."
        )
    return None


def as_array(X: Any, owner: str, *, allow_images: bool = False) -> np.ndarray:
    """Return what is no table as an array of two dimensions, or more for images.

    Text among the numbers of a list makes an array of objects, so that it can be pointed at.
    """
    if isinstance(X, np.ma.MaskedArray) and np.ma.is_masked(X):
        X = np.ma.filled(X.astype(np.float64), np.nan)
    try:
        array = np.asarray(X)
    except ValueError as error:
        raise ValueError(
            f"{owner} needs rows of one length. Got {type(X).__name__} of rows of different "
            f"lengths instead ({error}). Fill up or cut the rows."
        ) from error
    array = with_nan(array)
    if array.dtype.kind in "US" and not isinstance(X, np.ndarray):
        array = np.asarray(X, dtype=object)
    if array.ndim < 2 or (array.ndim > 2 and not allow_images):
        raise_dimensions(array.shape, owner)
    return array


def check_size(shape: tuple[int, ...], owner: str, *, min_rows: int = 1) -> None:
    """Raise ValueError, in scikit-learn's words, if there are too few rows or no columns."""
    for count, least, what in ((shape[0], min_rows, "sample"), (min(shape[1:]), 1, "feature")):
        if count < least:
            meaning = "row" if what == "sample" else "column"
            raise ValueError(
                f"Found array with {count} {what}(s) (shape={shape}) while a minimum of {least} "
                f"is required by {owner}. Give at least {least} {meaning}{'s' * (least > 1)}."
            )


def raise_dimensions(shape: tuple[int, ...], owner: str) -> None:
    """Raise ValueError for an array that is not a matrix, in scikit-learn's words."""
    advice = (
        "Reshape your data either using array.reshape(-1, 1) if it has a single feature or "
        "array.reshape(1, -1) if it contains a single sample."
        if len(shape) < 2
        else "Reshape your data with X.reshape(len(X), -1) to one row a sample."
    )
    raise ValueError(
        f"Expected 2D array, got {len(shape)}D array instead: {owner} needs rows and columns, "
        f"X has shape {shape}. {advice}"
    )


def positional(count: int) -> tuple[str, ...]:
    """Return the names that columns without names go by: x0, x1 and so on."""
    return tuple(f"x{number}" for number in range(count))


def as_numpy_takes(values: Any) -> Any:
    """Return one column of polars' 128-bit whole numbers, which NumPy has not, as a list."""
    wide = str(getattr(values, "dtype", "")) in {"Int128", "UInt128"}
    return values.to_list() if wide else values


def _native_names(X: Any) -> list:
    return list(X.column_names if hasattr(X, "column_names") else X.columns)


def _check_distinct(names: list, owner: str) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(
            f"{owner} needs columns with distinct names. Got {listed(repeated)} more than once "
            "instead. Rename or drop them."
        )
