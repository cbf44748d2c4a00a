"""Writing a table some rows at a time."""

import contextlib
import os
from pathlib import Path
from typing import Any, Self

import pandas as pd

from narrows._files import at_home, replacing

WRITTEN = (".csv", ".tsv", ".parquet", ".arrow")


class TableWriter:
    """A table that is written some rows at a time, in the form that its extension says.

    A file of that name stays as it is until the block ends, and if the block raises.

    Parameters
    ----------
    path : path-like
        Ends in ``.csv``, ``.tsv``, ``.parquet`` or ``.arrow``.

    Raises
    ------
    ValueError
        If it ends in something else.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = at_home(path)
        self._extension = self.path.suffix.lower()
        if self._extension not in WRITTEN:
            raise ValueError(
                f"A table's file must end in {', '.join(WRITTEN)} to be written. Got "
                f"{self.path.name!r} instead."
            )
        self._stack = contextlib.ExitStack()
        self._sink: Any = None

    def __enter__(self) -> Self:
        temporary = self._stack.enter_context(replacing(self.path))
        if self._extension in {".parquet", ".arrow"}:
            self._sink = _ArrowSink(temporary, self._extension)
        else:
            self._sink = _TextSink(temporary, "\t" if self._extension == ".tsv" else ",")
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool | None:
        # The temporary file is closed before it takes its place; after an error it goes.
        try:
            self._sink.close(complete=kind is None)
        except BaseException as late:
            self._stack.__exit__(type(late), late, late.__traceback__)
            raise
        return self._stack.__exit__(kind, error, trace)

    def write(self, rows: pd.DataFrame) -> None:
        """Write rows behind those that are there; their index is not written.

        Parameters
        ----------
        rows : pandas.DataFrame
            With the columns of the first rows, and values that their types can hold.

        Raises
        ------
        ValueError
            If they cannot, or columns differ.
        """
        self._sink.write(rows)


class _TextSink:
    def __init__(self, path: Path, separator: str):
        self.file = path.open("w", encoding="utf-8", newline="")
        self.separator = separator
        self.names: list[Any] | None = None

    def write(self, rows: pd.DataFrame) -> None:
        first = self.names is None
        self.names = list(rows.columns) if first else self.names
        _check_columns(self.names, list(rows.columns))
        rows.to_csv(self.file, sep=self.separator, index=False, header=first)

    def close(self, *, complete: bool) -> None:
        self.file.close()


class _ArrowSink:
    """Parquet or Arrow, with the types of the first rows.

    Those wait for the second: of rows that come at once nothing has to be changed.
    """

    def __init__(self, path: Path, extension: str):
        self.path = path
        self.extension = extension
        self.file: Any = None
        self.waiting: Any = None
        self.schema: Any = None
        self.writer: Any = None  # since there were two writes

    def write(self, rows: pd.DataFrame) -> None:
        import pyarrow

        table = pyarrow.Table.from_pandas(rows, preserve_index=False)
        if any(isinstance(dtype, pd.ArrowDtype) for dtype in rows.dtypes):
            table = table.replace_schema_metadata(None)  # else pandas would read such types again
        if self.waiting is None and self.writer is None:
            self.waiting = table
            return
        if self.writer is None:
            self.schema = _growing(self.waiting.schema, decoded=self.extension == ".arrow")
            self.writer = self._opened(self.schema)
            self.writer.write_table(self.waiting.cast(self.schema))
            self.waiting = None
        _check_columns(self.schema.names, table.column_names)
        self.writer.write_table(table.cast(self.schema))

    def close(self, *, complete: bool) -> None:
        if complete and self.waiting is not None:
            self.writer = self._opened(self.waiting.schema)
            self.writer.write_table(self.waiting)
        if self.writer is not None:
            self.writer.close()
            self.file.close()

    def _opened(self, schema: Any) -> Any:
        import pyarrow

        # By its name's bytes: pyarrow takes no text that is not UTF-8.
        self.file = pyarrow.OSFile(os.fsencode(self.path), "wb")
        if self.extension == ".parquet":
            from pyarrow import parquet

            return parquet.ParquetWriter(self.file, schema)
        from pyarrow import ipc

        return ipc.new_file(self.file, schema)


def _growing(schema: Any, *, decoded: bool) -> Any:
    """Return types that later rows can have too.

    A column without a value has no type yet, and an Arrow file has one set of categories only.
    """
    import pyarrow

    for place, field in enumerate(schema):
        if pyarrow.types.is_null(field.type):
            schema = schema.set(place, field.with_type(pyarrow.string()))
        elif decoded and pyarrow.types.is_dictionary(field.type):
            schema = schema.set(place, field.with_type(field.type.value_type))
    return schema


def _check_columns(wanted: Any, found: list[Any]) -> None:
    if list(wanted) != found:
        raise ValueError(
            f"Rows must have the columns of the first rows, {list(wanted)}. Got {found} instead."
        )
