"""Reading tables from Parquet or Arrow."""

import contextlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from narrows.data.reading._arrow_columns import to_pandas
from narrows.data.reading._checks import check_named, check_names, check_signature, check_there

PARQUET = {".parquet"}
ARROW = {".arrow", ".feather", ".ipc"}
NAMELESS_LEVEL = re.compile(r"__index_level_\d+__")  # what pyarrow calls them


def read_arrow(path: Path, drop: Sequence[str] = ()) -> pd.DataFrame:
    """Return what a file holds without some columns, with the names that it has."""
    with opened_arrow(path) as file:
        names = arrow_names(path, file.schema)
        check_named(path, "drop", drop, names)
        return as_pandas(path, file.whole(without=drop))


@contextlib.contextmanager
def opened_arrow(path: Path, *, mapped: bool = False) -> Iterator["_Parquet | _Ipc"]:
    """Open a Parquet or Arrow file; name what is wrong with it, also while it is read."""
    extension = path.suffix.lower()
    check_there(path)
    if extension not in PARQUET | ARROW:
        raise ValueError(
            f"The file must end in {', '.join(sorted(PARQUET | ARROW))}. Got {path.name!r} instead."
        )
    if path.stat().st_size == 0:
        raise ValueError(f"{str(path)!r} must hold a table. It is empty (0 bytes).")
    try:
        import pyarrow
    except ImportError as error:
        raise ImportError(
            f"Reading {extension} files needs pyarrow, which is not installed. Install it with "
            'pip install "narrows[tables]".'
        ) from error
    if extension in PARQUET:
        wanted, signature = "a Parquet file", b"PAR1"
    else:
        wanted, signature = "an Arrow file", b"ARROW1"
    check_signature(path, wanted, allowed=(signature,))
    try:
        opened = _Parquet(path) if extension in PARQUET else _Ipc(path, mapped=mapped)
        with contextlib.closing(opened) as file:
            yield file
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise ValueError(
            f"{str(path)!r} must be {wanted}, as its extension says. It is something else or "
            f"was cut off ({str(error).splitlines()[0]}). Write it again."
        ) from error


class _Parquet:
    def __init__(self, path: Path):
        from pyarrow import parquet

        self.source = _opened(path)
        # Buffered ahead, the bytes of all row groups stay until the file is closed.
        self.file = parquet.ParquetFile(self.source, pre_buffer=False)
        self.schema = self.file.schema_arrow
        self.n_rows: int | None = self.file.metadata.num_rows

    def whole(self, without: Sequence[str]) -> Any:
        names = [name for name in self.schema.names if name not in without]
        return self.file.read(names if without else None).select(names)

    def batches(self, names: Sequence[str]) -> Iterator[Any]:
        for batch in self.file.iter_batches(columns=list(names)):
            yield batch.select(list(names))  # "a" brings a column "a.b" too

    def close(self) -> None:
        self.file.close()
        self.source.close()


class _Ipc:
    """Arrow's file or stream."""

    def __init__(self, path: Path, *, mapped: bool):
        from pyarrow import ipc

        self.source = _opened(path, mapped=mapped)
        self.is_file = self.source.read(6) == b"ARROW1"
        self.source.seek(0)
        self.reader = ipc.open_file(self.source) if self.is_file else ipc.open_stream(self.source)
        self.schema = self.reader.schema
        self.n_rows: int | None = None  # to be known it has to be read

    def whole(self, without: Sequence[str]) -> Any:
        found = self.reader.read_all()
        return found.select([name for name in found.column_names if name not in without])

    def batches(self, names: Sequence[str]) -> Iterator[Any]:
        if self.is_file:
            found = (self.reader.get_batch(k) for k in range(self.reader.num_record_batches))
        else:
            found = iter(self.reader)
        for batch in found:
            yield batch.select(list(names))

    def close(self) -> None:
        self.source.close()


def _opened(path: Path, *, mapped: bool = False) -> Any:
    """Open a file by its name's bytes: pyarrow takes no text that is not UTF-8."""
    import pyarrow

    return (pyarrow.memory_map if mapped else pyarrow.OSFile)(os.fsencode(path))


def arrow_names(path: Path, schema: Any) -> list[str]:
    """Return the columns that `as_pandas` makes; raise ValueError for none or repeated ones."""
    check_names(path, schema.names)
    named, nameless = _index_columns(schema)
    found = [*named, *(name for name in schema.names if name not in {*named, *nameless})]
    if not found:
        raise ValueError(f"{str(path)!r} must hold a table. It has no columns.")
    return found


def as_pandas(path: Path, table: Any, exact: Sequence[str] = ()) -> pd.DataFrame:
    """Return an Arrow table with the names that the file has, as other programs show it.

    pandas would make whole numbers of names, and an index of columns that were one.
    """
    import pyarrow

    named, nameless = _index_columns(table.schema)
    if named:
        known = table.schema.metadata
        described = json.loads(known[b"pandas"])
        rest = [level for level in described["index_columns"] if level not in named]
        described = json.dumps({**described, "index_columns": rest}).encode()
        table = table.select([*named, *(n for n in table.column_names if n not in named)])
        table = table.replace_schema_metadata({**known, b"pandas": described})
    frame = to_pandas(path, table)
    frame.columns = [n for n in table.column_names if n not in nameless]
    for name in exact:
        kind = table.schema.field(name).type
        if pyarrow.types.is_integer(kind) or pyarrow.types.is_boolean(kind):
            values = table[name].to_pandas(types_mapper=pd.ArrowDtype)
            frame[name] = values.set_axis(frame.index)
    return frame


def _index_columns(schema: Any) -> tuple[list[str], list[str]]:
    """Return the columns that pandas had as an index, with names of their own and without."""
    described = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    levels = described.get("index_columns", [])
    stored = [level for level in levels if isinstance(level, str) and level in schema.names]
    nameless = [level for level in stored if NAMELESS_LEVEL.fullmatch(level)]
    return [level for level in stored if level not in nameless], nameless
