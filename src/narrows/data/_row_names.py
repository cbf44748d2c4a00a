"""Columns that name the rows, such as a running number: nothing that is to be learned."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from narrows._checks import listed
from narrows.data._columns import Column

FEWEST = 20  # rows; of fewer, numbers are easily all different
_SPARSE = 2  # whole numbers between the ends for each row, at most
_CALLED = re.compile(r"(^|[^a-z0-9])(id|ids|uuid|guid|rowid|rownames?|index)$|[a-z0-9](Id|ID)$")


def numbers_that_name_rows(values: np.ndarray, names: Sequence[Any]) -> np.ndarray:
    """Return which columns are whole numbers, another in every row, that run through or are ids.

    Shapes: `values` (n_rows, n_columns), (n_columns,) returned.
    """
    found = np.zeros(values.shape[1], bool)
    n_rows = len(values)
    if n_rows < FEWEST or values.dtype.kind not in "fiu":
        return found
    with np.errstate(over="ignore"):
        spread = values.max(axis=0).astype(np.float64) - values.min(axis=0).astype(np.float64)
    dense = spread + 1 <= _SPARSE * n_rows
    called = np.array([_is_called_so(name) for name in names])
    for place in np.flatnonzero((dense | called) & (spread >= n_rows - 1)):
        column = values[:, place]
        found[place] = (column == np.floor(column)).all() and len(np.unique(column)) == n_rows
    return found


def columns_that_name_rows(columns: Sequence[Column]) -> list[Column]:
    """Return those of a table's columns that seem to name its rows, by number or by text."""
    return [column for column in columns if _names_rows(column)]


def row_names_message(owner: str, names: Sequence[str], first: Sequence[Any]) -> str:
    """Return a sentence on columns that name rows, with the first one's first values."""
    shown = ", ".join(repr(value) for value in first[:3])
    several = len(names) > 1
    return (
        f"{owner} learns from {'columns' if several else 'column'} {listed(names)}, "
        f"{'each ' if several else ''}with another value in every row ({shown}, …): "
        f"{'they seem' if several else 'it seems'} to name the rows. Drop "
        f"{'them' if several else 'it'} (--drop on the command line), unless that is meant."
    )


def shown(values: np.ndarray) -> list[Any]:
    """Return the first values as they are written: whole numbers without a point."""
    return [int(value) if isinstance(value, float | np.number) else value for value in values[:3]]


def _names_rows(column: Column) -> bool:
    if column.kind == "number":
        return bool(numbers_that_name_rows(column.values[:, None], [column.name])[0])
    if column.kind != "text" or len(column.values) < FEWEST or column.missing.any():
        return False
    return len(set(column.values)) == len(column.values)


def _is_called_so(name: Any) -> bool:
    text = str(name)
    return bool(_CALLED.search(text) or _CALLED.search(text.lower()))
