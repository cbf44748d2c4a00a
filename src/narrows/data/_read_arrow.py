"""Reading a table from Parquet or Arrow."""

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd

from narrows.data._read_checks import check_names, check_signature

PARQUET = {".parquet"}
ARROW = {".arrow", ".feather", ".ipc"}
NAMELESS_LEVEL = re.compile(r"__index_level_\d+__")  # what pyarrow calls them


def read_arrow(path: Path, extension: str) -> pd.DataFrame:
    """Return what a file holds, with the names that it has."""
    try:
        import pyarrow
    except ImportError as error:
        raise ImportError(
            f"Reading {extension} files needs pyarrow, which is not installed. Install it with "
            'pip install "narrows[tables]".'
        ) from error
    if extension in PARQUET:
        wanted = "a Parquet file"
        check_signature(path, wanted, allowed=(b"PAR1",))
        reader: Any = _parquet
    else:
        wanted = "an Arrow file"
        check_signature(path, wanted, allowed=(b"ARROW1",))
        reader = _ipc
    try:
        table = reader(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise ValueError(
            f"{str(path)!r} must be {wanted}, as its extension says. It is something else or "
            f"was cut off ({str(error).splitlines()[0]}). Write it again."
        ) from error
    check_names(path, table.column_names)
    return _as_pandas(table)


def _as_pandas(table: Any) -> pd.DataFrame:
    """Return an Arrow table with the names that the file has, as other programs show it.

    pandas would make whole numbers of names, and an index of columns that were one.
    """
    known = table.schema.metadata or {}
    described = json.loads(known.get(b"pandas", b"{}"))
    index = described.get("index_columns", [])
    stored = [level for level in index if isinstance(level, str) and level in table.column_names]
    named = [level for level in stored if not NAMELESS_LEVEL.fullmatch(level)]
    if named:
        rest = [level for level in index if level not in named]
        described = json.dumps({**described, "index_columns": rest}).encode()
        table = table.select([*named, *(n for n in table.column_names if n not in named)])
        table = table.replace_schema_metadata({**known, b"pandas": described})
    frame = table.to_pandas()
    frame.columns = [n for n in table.column_names if n in named or n not in stored]
    return frame


def _parquet(path: Path) -> Any:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        return file.read()


def _ipc(path: Path) -> Any:
    from pyarrow import ipc

    with path.open("rb") as file:
        opened = ipc.open_file if file.read(6) == b"ARROW1" else ipc.open_stream
        file.seek(0)
        return opened(file).read_all()
