"""The way back from `TablePreprocessor`'s numbers to columns, as its encodings decode them."""

from typing import Any

import numpy as np
import pandas as pd

from narrows.data import (
    DAY,
    OTHER,
    Encoding,
    Flag,
    Levels,
    Number,
    date_limits,
)
from narrows.export._graph import Graph
from narrows.export._io_spec import NOT_A_TIME, gap_of, is_numeric

_FLOATS = {"float32": "float", "float16": "float16"}  # narrower than float64: ONNX's names


def decode_matrix(graph: Graph, encodings: list[Any], x: str) -> str:
    """Decode a table of numbers; shape (rows, encoded columns) to (rows, columns)."""
    values, missing = _decode_numbers(graph, list(enumerate(encodings)), _starts(encodings), x)
    return graph.add("Where", missing, _nan(graph), _as_dtypes(graph, encodings, values))


def decode_columns(graph: Graph, encodings: list[Encoding], x: str) -> list[str]:
    """Decode a mixed table; a value of shape (rows,) for each column, as `_ports` has it."""
    starts = _starts(encodings)
    found: dict[int, str] = {}
    numbers = [(k, one) for k, one in enumerate(encodings) if isinstance(one, Number)]
    if numbers:
        values, missing = _decode_numbers(graph, numbers, starts, x)
        plain = graph.add(
            "Where", missing, _nan(graph), _as_dtypes(graph, [one for _, one in numbers], values)
        )
        for place, (k, number) in enumerate(numbers):
            if not number.step:
                found[k] = _column(graph, plain, place)
                continue
            ends = _column(graph, values, place), _column(graph, missing, place)
            found[k] = _date(graph, number, *ends)
    for k, one in enumerate(encodings):
        if isinstance(one, Flag):
            found[k] = _decode_flag(graph, one, starts[k], x)
        elif isinstance(one, Levels):
            graph.scope = one.name
            found[k] = _decode_levels(graph, one, starts[k], x)
            graph.scope = ""
    return [found[k] for k in range(len(encodings))]


def _starts(encodings: list[Encoding]) -> list[int]:
    widths = [len(one.names("")) for one in encodings]
    return [sum(widths[:k]) for k in range(len(widths))]


def _column(graph: Graph, x: str, place: int) -> str:
    """Return one column, of shape (rows,)."""
    return graph.add("Gather", x, graph.constant(place, "int64"), axis=1)


def _decode_numbers(
    graph: Graph, numbers: list[tuple[int, Number]], starts: list[int], x: str
) -> tuple[str, str]:
    """Return numbers as they are before rounding, and where they are missing."""
    known = [one for _, one in numbers]
    encoded = _gathered(graph, x, [starts[k] for k, _ in numbers])
    refused = graph.add("IsNaN", encoded)
    if any(one.constant for one in known):
        kept = graph.constant([0.0 if one.constant else 1.0 for one in known], "float64")
        encoded = graph.add("Mul", encoded, kept)
    scaled = graph.add("Mul", encoded, graph.constant([one.scale for one in known], "float64"))
    values = graph.add("Add", scaled, graph.constant([one.center for one in known], "float64"))
    has = [one.indicator for one in known]
    if not any(has):
        return values, refused
    places = [starts[k] + one.indicator for (k, _), one in zip(numbers, known, strict=True)]
    above = graph.add("Greater", _gathered(graph, x, places), _half(graph))
    marked = graph.add("And", above, graph.constant(has, "bool"))
    return values, graph.add("Or", marked, refused)


def _gathered(graph: Graph, x: str, places: list[int]) -> str:
    return graph.add("Gather", x, graph.constant(places, "int64"), axis=1)


def _as_dtypes(graph: Graph, encodings: list, values: str) -> str:
    """Round what was whole in fit, and to the precision that a column's dtype has."""
    names = [one.dtype.lower() for one in encodings]
    whole = ["int" in name for name in names]
    if any(whole):
        ends = np.array(
            [_limits(one.dtype) if is_ else (0, 0)
             for one, is_ in zip(encodings, whole, strict=True)]
        )  # fmt: skip
        low, high = (graph.constant(end, "float64") for end in ends.T)
        rounded = graph.add("Min", graph.add("Max", graph.add("Round", values), low), high)
        values = graph.add("Where", graph.constant(whole, "bool"), rounded, values)
    for dtype, kind in _FLOATS.items():
        narrow = [name == dtype for name in names]
        if any(narrow):
            through = graph.cast(graph.cast(values, kind), "double")
            values = graph.add("Where", graph.constant(narrow, "bool"), through, values)
    return values


def _limits(dtype: str) -> tuple[float, float]:
    plain = pd.api.types.pandas_dtype(dtype)
    limits = np.iinfo(getattr(plain, "numpy_dtype", plain))
    high = np.nextafter(float(limits.max), 0) if limits.bits == 64 else float(limits.max)
    return float(limits.min), float(high)


def _date(graph: Graph, encoding: Number, days: str, missing: str) -> str:
    step = encoding.step
    low, high = date_limits(encoding.dtype)
    ticks = graph.add("Mul", days, graph.constant(float(DAY), "float64"))
    steps = graph.add("Round", graph.add("Div", ticks, graph.constant(float(step), "float64")))
    ends = (graph.constant(end / step, "float64") for end in (-(2.0**62), 2.0**62))
    for bound, end in zip(("Max", "Min"), ends, strict=True):
        steps = graph.add(bound, steps, end)
    # NaN has no int64: it is put aside before.
    whole = graph.cast(graph.add("Where", missing, graph.constant(0.0, "float64"), steps), "int64")
    for bound, last in (("Max", -(-low // step)), ("Min", high // step)):
        whole = graph.add(bound, whole, graph.constant(last, "int64"))
    moments = graph.add("Mul", whole, graph.constant(step, "int64"))
    return graph.add("Where", missing, graph.constant(NOT_A_TIME, "int64"), moments)


def _decode_flag(graph: Graph, encoding: Flag, start: int, x: str) -> str:
    column = _column(graph, x, start)
    missing = graph.add("IsNaN", column)
    if encoding.indicator:
        marked = graph.add("Greater", _column(graph, x, start + 1), _half(graph))
        missing = graph.add("Or", missing, marked)
    flag = graph.cast(graph.add("Greater", column, _half(graph)), "double")
    return graph.add("Where", missing, _nan(graph), flag)


def _decode_levels(graph: Graph, encoding: Levels, start: int, x: str) -> str:
    numeric = is_numeric(encoding)
    nothing = np.nan if numeric else gap_of(encoding)
    other = np.nan if numeric else f"({OTHER})"  # no number stands for it
    answers = [*encoding.levels, *([other] * bool(encoding.pooled)), nothing]
    width = len(encoding.names(""))
    block = _gathered(graph, x, list(range(start, start + width)))
    best = graph.add("ArgMax", block, axis=1, keepdims=0)
    largest = graph.add("ReduceMax", graph.add("Abs", block), axes=[1], keepdims=0)
    # False for rows of zeros, and for those of NaN, which were refused.
    known = graph.add("Greater", largest, graph.constant(0.0, "float64"))
    last = graph.constant(len(answers) - 1, "int64")
    place = graph.add("Where", known, best, last)
    table = np.array(answers, np.float64) if numeric else np.array(answers, object)
    return graph.add("Gather", graph.constant(table), place, axis=0)


def _half(graph: Graph) -> str:
    return graph.constant(0.5, "float64")


def _nan(graph: Graph) -> str:
    return graph.constant(np.nan, "float64")
