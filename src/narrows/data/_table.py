"""A table at the door of a comparison: looked at once, and passed on as one object."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from narrows.data._columns import Column, columns_of
from narrows.data._containers import as_frame, check_size, names_of, positional
from narrows.data._from_r import is_na
from narrows.data._matrix import to_matrix


@dataclass(frozen=True, eq=False)
class DataTable:
    """Rows and columns, checked.

    Attributes
    ----------
    matrix : float64 ndarray of shape (n_rows, n_columns) or None
        All numbers; None of a mixed table.
    frame : narwhals.DataFrame or None
        A mixed table, with text, dates or gaps; None where all are numbers.
    names : tuple of str
        The columns' names; x0, x1 and so on where there are none.
    named : bool
        Whether the columns had names.
    """

    matrix: np.ndarray | None
    frame: Any
    names: tuple[str, ...]
    named: bool

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def mixed(self) -> bool:
        """Whether columns may be other than numbers, or have gaps."""
        return self.matrix is None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = (self.frame if self.matrix is None else self.matrix).shape
        return int(rows), int(columns)

    @property
    def native(self) -> Any:
        """All rows as a transformer takes them: an array, or the user's table."""
        return self.frame.to_native() if self.matrix is None else self.matrix

    def rows(self, numbers: np.ndarray) -> Any:
        """Return rows by number, as a transformer takes them."""
        if self.matrix is None:
            return self.frame[numbers.tolist()].to_native()
        return self.matrix[numbers]

    def columns(self, caller: str) -> list[Column]:
        """Return the columns of a mixed table, each with its kind and gaps."""
        return columns_of(self.native, caller)[0]


def table_of(X: Any, caller: str) -> DataTable:
    """Return a table as one object, from a user's, or as it is if it is one already."""
    if isinstance(X, DataTable):
        return X
    frame = as_frame(X, caller)
    names = None if frame is None else names_of(frame)
    if frame is not None and _is_mixed(frame):
        check_size(frame.shape, caller, min_rows=2)
        return DataTable(None, frame, names or positional(frame.shape[1]), bool(names))
    matrix = to_matrix(X, owner=caller, dtype="float64", min_rows=2).values
    return DataTable(matrix, None, names or positional(matrix.shape[1]), bool(names))


def _is_mixed(frame: Any) -> bool:
    if not all(dtype.is_numeric() for dtype in frame.schema.values()):
        return True
    return any(_has_gaps(frame.get_column(name)) for name in frame.columns)


def _has_gaps(column: Any) -> bool:
    if str(column.dtype) == "Int32" and not column.is_null().any():  # where R's NA may stand
        return is_na(column.to_numpy()) is not None
    return bool(column.is_null().any() or (column.dtype.is_float() and column.is_nan().any()))
