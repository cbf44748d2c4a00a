"""Columns of Arrow that pandas cannot show as they are: mended, or named."""

from pathlib import Path
from typing import Any

import pandas as pd


def to_pandas(path: Path, table: Any) -> pd.DataFrame:
    """Return an Arrow table as pandas makes it."""
    try:
        for place, name in enumerate(table.column_names):
            column = table.column(place)
            plain = _with_plain_categories(column)
            table = table if plain is column else table.set_column(place, name, plain)
        return table.to_pandas()
    except _refusals() as error:
        for name, column in zip(table.column_names, table.columns, strict=True):
            _check_column(path, name, column)
        raise ValueError(f"{str(path)!r} must hold what pandas can show. {error}.") from error


def _check_column(path: Path, name: str, column: Any) -> None:
    try:
        column.to_pandas()
    except _refusals() as error:
        said = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise ValueError(
            f"{str(path)!r} must hold values that pandas can show. Got column {name!r} of "
            f"{column.type} with others instead ({said}). Leave it out with drop={name!r} of "
            "read_table (--drop on the command line), or convert it."
        ) from error


def _refusals() -> tuple[type[Exception], ...]:
    import pyarrow

    return pyarrow.ArrowException, ValueError, TypeError, OverflowError, NotImplementedError


def _with_plain_categories(column: Any) -> Any:
    """Return a column whose categories are distinct and none is missing, which pandas wants."""
    import pyarrow
    import pyarrow.compute as pc

    kind = column.type
    if not pyarrow.types.is_dictionary(kind) or all(map(_is_plain, column.chunks)):
        return column
    known = pyarrow.chunked_array([one.dictionary for one in column.chunks]).unique().drop_null()
    chunks = [
        pyarrow.DictionaryArray.from_arrays(
            pc.index_in(one.dictionary_decode(), known), known, ordered=kind.ordered
        )
        for one in column.chunks
    ]
    return pyarrow.chunked_array(chunks)


def _is_plain(chunk: Any) -> bool:
    levels = chunk.dictionary
    return levels.null_count == 0 and len(levels.unique()) == len(levels)
