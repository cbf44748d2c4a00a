"""What a file takes and gives: one array of numbers, or one array a column of a mixed table."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from narrows.data import DAY, Column, Encoding, Flag, Levels, Number, columns_of

ROWS = "rows"  # the name of the axis whose length is free
NOT_A_TIME = np.iinfo(np.int64).min  # what NumPy's NaT is as a number

MEANINGS = {
    "number": ("a number", "NaN"),
    "boolean": ("1 or 0", "NaN"),
    "text": ("text", "the empty text"),  # but see `gap_of`
    "date": ("microseconds since 1970-01-01 UTC", str(NOT_A_TIME)),
}


@dataclass(frozen=True)
class Port:
    """One input or output.

    Attributes
    ----------
    name : str
    type : {"float", "double", "int64", "string"}
        As ONNX calls it.
    shape : tuple of int
        Of one row; empty for a column.
    kind : {"number", "boolean", "text", "date"}
    columns : tuple of str or None
        What the numbers of a row are called; None for images.
    gap : str
        Of text: what stands for a missing value.
    """

    name: str
    type: str
    shape: tuple[int, ...]
    kind: str = "number"
    columns: tuple[str, ...] | None = None
    gap: str = ""

    @property
    def meaning(self) -> str:
        """What is to be sent, in words."""
        what, missing = MEANINGS[self.kind]
        missing = repr(self.gap) if self.gap else missing
        if self.shape:
            return "numbers" if self.columns is None else f"numbers: {', '.join(self.columns)}"
        return f"{what}; {missing} where it is missing"


def is_mixed(encodings: list[Encoding]) -> bool:
    """Whether a table is more than numbers, so that it has one input for each column."""
    return not all(isinstance(one, Number) and not one.step for one in encodings)


def column_port(name: str, encoding: Encoding) -> Port:
    """Return the port of one column of a mixed table."""
    if isinstance(encoding, Levels):
        if is_numeric(encoding):
            return Port(name, "double", (), "number")
        return Port(name, "string", (), "text", gap=gap_of(encoding))
    if isinstance(encoding, Flag):
        return Port(name, "double", (), "boolean")
    return Port(name, *(("int64", (), "date") if encoding.step else ("double", (), "number")))


def gap_of(encoding: Levels) -> str:
    """Return what stands for missing text: the empty text, unless that is a level."""
    gap = "(missing)" if "" in encoding.positions else ""
    while gap in encoding.positions:
        gap = f"({gap})"
    return gap


DTYPES: dict[str, Any] = {
    "float": np.float32,
    "double": np.float64,
    "int64": np.int64,
    "string": object,
}


def is_numeric(encoding: Levels) -> bool:
    """Whether a categorical's levels are numbers."""
    return not any(isinstance(level, str) for level in (*encoding.levels, *encoding.pooled))


def arrays_of(ports: list[Port], X: Any) -> dict[str, np.ndarray]:
    """Return rows as a file takes or gives them."""
    if ports[0].shape:
        return {ports[0].name: _matrix(X).astype(DTYPES[ports[0].type])}
    columns, _ = columns_of(X, "export_onnx")
    found = {port.name: _column(port, column) for port, column in zip(ports, columns, strict=True)}
    if isinstance(X, pd.DataFrame):
        for place, port in enumerate(ports):
            series = X.iloc[:, place]
            if port.kind == "date" and pd.api.types.is_datetime64_any_dtype(series.dtype):
                found[port.name] = _moments(series)
    return found


def _moments(series: pd.Series) -> np.ndarray:
    """Return microseconds to the last one: days far from 1970 are floats that round some off."""
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    return series.to_numpy().astype("M8[us]").astype(np.int64)


def _matrix(X: Any) -> np.ndarray:
    if isinstance(X, np.ndarray) and X.dtype.kind in "fiub":
        return X
    if np.ndim(X) > 2:
        return np.asarray(X)
    columns, _ = columns_of(X, "export_onnx")
    return np.column_stack([column.values for column in columns]).astype(np.float64)


def _column(port: Port, column: Column) -> np.ndarray:
    missing = column.missing
    if port.kind == "text":
        values = np.empty(len(missing), dtype=object)
        values[:] = [
            port.gap if no else str(v) for v, no in zip(column.values, missing, strict=True)
        ]
        return values
    if column.values.dtype == object:  # numbers that are a categorical's levels
        pairs = zip(column.values, missing, strict=True)
        numbers = np.array([np.nan if no else float(value) for value, no in pairs], np.float64)
    else:
        numbers = column.values.astype(np.float64)
    if port.kind != "date":
        return numbers
    ticks = np.rint(np.where(missing, 0.0, numbers) * DAY).astype(np.int64)
    ticks[missing] = NOT_A_TIME
    return ticks
