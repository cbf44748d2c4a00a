"""The rows of a table as the figures need them: names, values, colours, and which are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from narrows.data import as_frame
from narrows.plots import (
    CLASS_COLOURS,
    MISSING_COLOUR,
    as_levels,
    colours_for,
    levels_of,
    shapes_for,
)

MOST_DRAWN, MOST_COLUMNS, MOST_LEVELS = 10_000, 20, 30
_MOST_NUMERIC_CLASSES = 12
# Five steps of matplotlib's viridis without its ends, which vanish on black or on white.
_STEPS = ("#46327E", "#365C8D", "#277F8E", "#1FA187", "#7AD151")


@dataclass(frozen=True)
class PointLevels:
    """What colours and filters points: the classes, or fifths of a number.

    Attributes
    ----------
    colours, shapes : list of str
        By level; shapes as matplotlib calls them.
    codes : int ndarray of shape (n_rows,)
        Each row's level.
    """

    names: list[str]
    colours: list[str]
    shapes: list[str]
    codes: np.ndarray


def levels_for(labels: Sequence[Any], order: Sequence[str] = ()) -> PointLevels:
    """Return the levels of labels."""
    values = pd.Series(list(labels))
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if numeric and values.nunique() > _MOST_NUMERIC_CLASSES:
        return _fifths(values)
    names = list(order) if order else levels_of(values)
    codes = as_levels(values, names).codes.astype(int)
    colours, shapes = colours_for(names, CLASS_COLOURS), shapes_for(names)
    kept = names
    if len(names) > MOST_LEVELS:
        frequent = np.sort(np.argsort(-np.bincount(codes, minlength=len(names)))[:MOST_LEVELS])
        place = np.full(len(names), len(frequent))
        place[frequent] = np.arange(len(frequent))
        codes, kept = place[codes], [names[level] for level in frequent]
        rest = f"others ({len(names) - len(frequent)})"
        colours, shapes = colours | {rest: MISSING_COLOUR}, shapes | {rest: "o"}
        kept = [*kept, rest]
    return PointLevels(kept, [colours[n] for n in kept], [shapes[n] for n in kept], codes)


def _fifths(values: pd.Series) -> PointLevels:
    edges = np.unique(np.quantile(values, np.linspace(0, 1, len(_STEPS) + 1)))
    codes = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    names = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
    return PointLevels(names, list(_STEPS[: len(names)]), ["o"] * len(names), codes)


def row_names(X: Any, n_rows: int) -> list[str]:
    """Return what rows are called: a pandas index that says something, or their number from 0."""
    index = getattr(X, "index", None)
    if isinstance(index, pd.Index) and not isinstance(index, pd.RangeIndex):
        return [str(name) for name in index]
    return [str(number) for number in range(n_rows)]


def row_values(X: Any, drawn: np.ndarray) -> list[dict[str, Any]]:
    """Return the columns of the rows that are drawn, for the pointer."""
    if X is None:
        return []
    frame = as_frame(X, "row_values")
    if frame is not None:
        part = frame[drawn.tolist()]
        kept = frame.columns[:MOST_COLUMNS]
        pairs = [(str(name), part.get_column(name).to_list()) for name in kept]
    else:
        array = np.asarray(X)
        array = array.reshape(len(array), -1)[drawn, :MOST_COLUMNS]
        pairs = [(f"column {place}", list(column)) for place, column in enumerate(array.T)]
    return [{"name": name, "values": [_shown(value) for value in column]} for name, column in pairs]


def _shown(value: Any) -> Any:
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return float(f"{value:.5g}") if np.isfinite(value) else None
    return str(value)


def coordinates(values: np.ndarray) -> list[float | None]:
    """Return numbers rounded to four digits of their span: finer than a screen can show."""
    values = np.asarray(values, dtype=np.float64)
    finite = values[np.isfinite(values)]
    span = float(np.ptp(finite)) if len(finite) else 0.0
    size = span or float(np.abs(finite).max(initial=0.0))
    decimals = 4 - int(np.floor(np.log10(size))) if size > 0 else 0
    # NumPy rounds by a power of ten, which must be a finite number itself.
    rounded = np.round(values, decimals) if decimals <= 300 else values
    return [float(v) if np.isfinite(v) else None for v in rounded]
