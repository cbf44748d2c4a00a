"""`TablePreprocessor` as a graph: columns to numbers, in float64, the way its encodings do it.

What `transform` would refuse (infinity, a boolean of 2, an unseen level with ``unseen="error"``)
becomes NaN here; `_parts` lets it through to the result of that row.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from narrows.data import DAY, Encoding, Flag, Levels, Number
from narrows.export._graph import ML, Graph
from narrows.export._io_spec import NOT_A_TIME, gap_of, is_numeric

_UNSEEN = -2
_MISSING = -1
_EXACT = 2**53  # larger whole numbers are not told apart by float64

Label = tuple[int, int]  # the column, and the place in its block


def encode_matrix(graph: Graph, encodings: list[Any], x: str) -> str:
    """Encode rows of numbers; shape (rows, columns) to (rows, encoded columns)."""
    return _ordered(graph, encodings, _encode_numbers(graph, list(enumerate(encodings)), x))


def encode_columns(graph: Graph, encodings: list[Encoding], columns: list[str]) -> str:
    """Encode columns of shape (rows,) each, see `_ports.column_port` for their types."""
    pieces: list[tuple[str, list[Label]]] = []
    numbers = [(k, one) for k, one in enumerate(encodings) if isinstance(one, Number)]
    flags = [(k, one) for k, one in enumerate(encodings) if isinstance(one, Flag)]
    if numbers:
        values = [_days(graph, columns[k]) if one.step else columns[k] for k, one in numbers]
        pieces += _encode_numbers(graph, numbers, side_by_side(graph, values))
    if flags:
        x = side_by_side(graph, [columns[k] for k, _ in flags])
        pieces += _encode_flags(graph, flags, x)
    for k, one in enumerate(encodings):
        if isinstance(one, Levels):
            graph.scope = one.name
            block = (_numeric_levels if is_numeric(one) else _text_levels)(graph, one, columns[k])
            pieces.append((block, [(k, place) for place in range(_width(one))]))
            graph.scope = ""
    return _ordered(graph, encodings, pieces)


def side_by_side(graph: Graph, columns: list[str]) -> str:
    """Return columns of shape (rows,) as one array of shape (rows, columns)."""
    axis = graph.constant([1], "int64")
    return _joined(graph, [graph.add("Unsqueeze", column, axis) for column in columns])


def _joined(graph: Graph, parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=1)


def _ordered(graph: Graph, encodings: list[Encoding], pieces: list[tuple[str, list[Label]]]) -> str:
    """Put encoded columns into the order that `transform` gives them."""
    found = [label for _, labels in pieces for label in labels]
    wanted = [(k, place) for k, one in enumerate(encodings) for place in range(_width(one))]
    whole = _joined(graph, [name for name, _ in pieces])
    if found == wanted:
        return whole
    places = [found.index(label) for label in wanted]
    return graph.add("Gather", whole, graph.constant(places, "int64"), axis=1)


def _width(encoding: Encoding) -> int:
    return len(encoding.names(""))


def _days(graph: Graph, ticks: str) -> str:
    """Return days since 1970 of microseconds, whole days and the rest apart as narrows does."""
    missing = graph.add("Equal", ticks, graph.constant(NOT_A_TIME, "int64"))
    day = graph.constant(DAY, "int64")
    rest = graph.add("Mod", ticks, day)
    whole = graph.add("Div", graph.add("Sub", ticks, rest), day)
    part = graph.add("Div", graph.cast(rest, "double"), graph.constant(float(DAY), "float64"))
    days = graph.add("Add", graph.cast(whole, "double"), part)
    return graph.add("Where", missing, _nan(graph), days)


def _encode_numbers(
    graph: Graph, numbers: list[tuple[int, Number]], x: str
) -> list[tuple[str, list[Label]]]:
    missing = graph.add("IsNaN", x)
    filled = graph.add("Where", missing, _vector(graph, [one.fill for _, one in numbers]), x)
    centered = graph.add("Sub", filled, _vector(graph, [one.center for _, one in numbers]))
    scaled = graph.add("Div", centered, _vector(graph, [one.scale for _, one in numbers]))
    constant = [one.constant for _, one in numbers]
    if any(constant):
        # Times zero rather than zero, so that infinity is not taken for a value.
        kept = _vector(graph, [0.0 if one else 1.0 for one in constant])
        scaled = graph.add("Mul", scaled, kept)
    return [(scaled, [(k, 0) for k, _ in numbers]), *_indicators(graph, numbers, missing)]


def _encode_flags(
    graph: Graph, flags: list[tuple[int, Flag]], x: str
) -> list[tuple[str, list[Label]]]:
    missing = graph.add("IsNaN", x)
    filled = graph.add("Where", missing, _vector(graph, [one.fill for _, one in flags]), x)
    zero, one = (graph.constant(value, "float64") for value in (0.0, 1.0))
    known = graph.add("Or", graph.add("Equal", filled, zero), graph.add("Equal", filled, one))
    checked = graph.add("Where", known, filled, _nan(graph))
    return [(checked, [(k, 0) for k, _ in flags]), *_indicators(graph, flags, missing)]


def _indicators(
    graph: Graph, columns: Sequence[tuple[int, Number | Flag]], missing: str
) -> list[tuple[str, list[Label]]]:
    """Return where values are missing, of the columns that have an indicator."""
    places = [place for place, (_, one) in enumerate(columns) if one.indicator]
    if not places:
        return []
    shown = missing
    if len(places) < len(columns):
        shown = graph.add("Gather", missing, graph.constant(places, "int64"), axis=1)
    return [(graph.cast(shown, "double"), [(columns[place][0], 1) for place in places])]


def _text_levels(graph: Graph, encoding: Levels, column: str) -> str:
    """Return a block of zeros and ones for text, of shape (rows, levels)."""
    places = {level: place for level, place in encoding.positions.items() if level is not None}
    places[gap_of(encoding)] = encoding.positions.get(None, _MISSING)
    index = graph.add(
        "LabelEncoder",
        column,
        domain=ML,
        keys_strings=list(places),
        values_int64s=list(places.values()),
        default_int64=_UNSEEN,
    )
    index = graph.add("Unsqueeze", index, graph.constant([1], "int64"))
    every = graph.constant(np.arange(_width(encoding))[None], "int64")
    block = graph.cast(graph.add("Equal", index, every), "double")
    if encoding.unseen != "error":
        return block
    unseen = graph.add("Equal", index, graph.constant(_UNSEEN, "int64"))
    return graph.add("Where", unseen, _nan(graph), block)


def _numeric_levels(graph: Graph, encoding: Levels, column: str) -> str:
    """Return a block of zeros and ones for a categorical of numbers."""
    levels = [level for level in encoding.positions if level is not None]
    if max(abs(float(level)) for level in levels) > _EXACT:
        raise ValueError(
            f"The levels of column {encoding.name!r} must be text or numbers up to 2^53, which "
            f"float64 tells apart. Got {max(levels, key=abs)!r} instead. Convert the column to "
            "text and fit again."
        )
    width = len(encoding.levels) + bool(encoding.pooled)
    table = np.zeros((len(levels), width))
    table[np.arange(len(levels)), [encoding.positions[level] for level in levels]] = 1.0
    x = graph.add("Unsqueeze", column, graph.constant([1], "int64"))
    known = graph.constant(np.array([[float(level) for level in levels]]), "float64")
    same = graph.cast(graph.add("Equal", x, known), "double")
    block = graph.add("MatMul", same, graph.constant(table, "float64"))
    missing = graph.add("IsNaN", x)
    if encoding.unseen == "error":
        seen = graph.add("ReduceMax", same, axes=[1], keepdims=1)
        fine = graph.add("Or", graph.cast(seen, "bool"), missing)
        block = graph.add("Where", fine, block, _nan(graph))
    if not encoding.indicator:
        return block
    return _joined(graph, [block, graph.cast(missing, "double")])


def _nan(graph: Graph) -> str:
    return graph.constant(np.nan, "float64")


def _vector(graph: Graph, values: list[float]) -> str:
    return graph.constant(values, "float64")
