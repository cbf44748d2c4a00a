"""Reading a table from a file: CSV, TSV, Parquet or Arrow."""

import csv
import difflib
import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from narrows.data._containers import listed

SEPARATORS = {".csv": ",", ".tsv": "\t"}
PARQUET = {".parquet"}
ARROW = {".arrow", ".feather", ".ipc"}
KNOWN = (*SEPARATORS, *sorted(PARQUET | ARROW))
# What files begin with, whatever they are called.
SIGNATURES = {
    b"PAR1": "a Parquet file",
    b"ARROW1": "an Arrow file",
    b"FEA1": "a file of Feather's first version",
    b"PK\x03\x04": "a zip or Excel file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"\x1f\x8b": "a gzip file",
    b"\x89HDF": "an HDF5 file",
}
# How to get a table that can be read out of one that is separated otherwise.
ADVICE = {
    "\t": "Rename it to .tsv",
    ",": "Rename it to .csv",
    ";": "Write it with commas and decimal points (write.csv instead of write.csv2 in R, to_csv "
    "without sep and decimal in pandas)",
}
NAMELESS_LEVEL = re.compile(r"__index_level_\d+__")  # what pyarrow calls them
DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?(Z|[+-]\d{2}:?\d{2}))?)?"
)


def read_table(path: str | os.PathLike, *, encoding: str = "utf-8") -> pd.DataFrame:
    r"""Read a table from a file whose extension says what it is.

    Parameters
    ----------
    path : path-like
        ``.csv`` (commas) or ``.tsv`` (tabs) with a header line, ``.parquet``, or ``.arrow``,
        ``.feather`` or ``.ipc``.
    encoding : str, default="utf-8"
        Of CSV and TSV.

    Returns
    -------
    pandas.DataFrame
        With at least one row and distinct column names, which are text. In CSV and TSV, columns
        of ISO dates (``2024-05-17``, with or without a time) are dates; empty cells, NA and the
        like are missing; a column with neither name nor values is left out. An index with a
        name, which pandas put into Parquet or Arrow, is the first column.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the extension is not known; if the file is empty, has no rows, repeats a column name
        or lacks one, has a line of another length or bytes of another encoding, or is not what
        its extension says.
    ImportError
        If Parquet or Arrow is asked for and pyarrow is not installed.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from narrows.data import read_table
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "cats.csv")
    ...     _ = file.write_text("name,born\nTom,2019-03-01\n")
    ...     read_table(file).dtypes.born.kind
    'M'
    """
    path = Path(path)
    extension = path.suffix.lower()
    _check_file(path)
    if extension not in KNOWN:
        raise ValueError(
            f"A table's file must end in {', '.join(KNOWN)}. Got {path.name!r} instead. Convert "
            "it, or rename it if it is one of these."
        )
    if path.stat().st_size == 0:
        raise ValueError(f"{str(path)!r} must hold a table. It is empty (0 bytes).")
    if extension in SEPARATORS:
        table = _read_text(path, SEPARATORS[extension], encoding)
    else:
        table = _read_arrow(path, extension)
    if len(table) == 0:
        raise ValueError(
            f"{str(path)!r} must have rows. Got the columns {listed(table.columns)} without any."
        )
    return table


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise ValueError(f"A table is a file. Got the folder {str(path)!r} instead.")
    if path.exists():
        return
    beside = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, beside, n=3, cutoff=0.7)
    advice = f" Did you mean {' or '.join(map(repr, near))}?" if near else " Check the path."
    raise FileNotFoundError(f"There is no file {str(path)!r}.{advice}")


def _read_text(path: Path, separator: str, encoding: str) -> pd.DataFrame:
    _check_signature(path, "text", allowed=())
    encoding = "utf-8-sig" if encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else encoding
    try:
        header = _header_of_checked_lines(path, separator, encoding)
        table = pd.read_csv(path, sep=separator, encoding=encoding, low_memory=False)
    except UnicodeDecodeError as error:
        raise _wrong_encoding(path, encoding) from error
    except (csv.Error, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{str(path)!r} must be a table of text lines. {error}.") from error
    table = _without_nameless(path, header, table)
    for name in table.columns:
        table[name] = _as_dates(table[name])
    return table


def _header_of_checked_lines(path: Path, separator: str, encoding: str) -> list[str]:
    """Return the first line; raise unless its names are distinct and all lines as long.

    pandas would fill up short lines and rename repeated columns in silence.
    """
    with path.open(encoding=encoding, newline="") as file:
        lines = csv.reader(file, delimiter=separator)
        header = next((line for line in lines if line), None)
        if header is None:
            raise ValueError(f"{str(path)!r} must hold a table. It has blank lines only.")
        _check_separator(path, header, separator)
        _check_names(path, [name for name in header if name.strip()])
        for place, line in enumerate(filter(None, lines)):
            if len(line) != len(header):
                number = lines.line_num
                longer = (len(one) == len(header) + 1 for one in (line, *filter(None, lines)))
                _raise_length(
                    path, separator, header, line, number, row_names=place == 0 and all(longer)
                )
    return header


def _raise_length(
    path: Path, separator: str, header: list[str], line: list[str], number: int, *, row_names: bool
) -> None:
    got = f"{len(line)} in line {number}"
    advice = f"Put fields that contain {_called(separator)} into double quotes"
    if row_names:  # R's write.table has no name for them in its header
        got += " and every one after it"
        advice = (
            f"The first, such as {line[0][:60]!r}, looks like row names: write the table without "
            "them (row.names = FALSE in R), or give them a name"
        )
    raise ValueError(
        f"{str(path)!r} must have {len(header)} fields in every line, as in its first. Got {got} "
        f"instead: {separator.join(line)[:60]!r}. {advice}."
    )


def _without_nameless(path: Path, header: list[str], table: pd.DataFrame) -> pd.DataFrame:
    """Drop empty columns without a name, as of a comma at the end of each line.

    Others would be features that pandas has named, row numbers above all.
    """
    nameless = [place for place, name in enumerate(header) if not name.strip()]
    if not nameless:
        return table
    for place in nameless:
        values = table.iloc[:, place].dropna()
        if len(values):
            _raise_nameless(path, place, str(values.iloc[0]))
    return table.drop(columns=table.columns[nameless])


def _raise_nameless(path: Path, place: int, first: str) -> None:
    looks, advice = "", "or remove it"
    if place == 0:
        looks = ", which looks like row names"
        advice = (
            "or write the table without row names (row.names = FALSE in R, index=False in pandas)"
        )
    raise ValueError(
        f"{str(path)!r} must name every column in its first line. Got no name for column "
        f"{place + 1}, with values such as {first[:60]!r}{looks}, instead. Give it a "
        f"name, {advice}."
    )


def _check_separator(path: Path, header: list[str], separator: str) -> None:
    others = [other for other in ",;\t|" if other != separator and other in header[0]]
    if len(header) == 1 and others:
        raise ValueError(
            f"{str(path)!r} must be separated by {_called(separator)}, as its extension says. Got "
            f"the first line {header[0][:60]!r} instead, which looks separated by "
            f"{_called(others[0])}. {ADVICE.get(others[0], 'Rename or convert it')}."
        )


def _check_names(path: Path, names: list[str]) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(
            f"{str(path)!r} must have distinct column names. Got {listed(repeated)} more than "
            "once instead. Rename the columns."
        )


def _check_signature(path: Path, wanted: str, allowed: tuple[bytes, ...]) -> None:
    with path.open("rb") as file:
        start = file.read(8)
    for signature, what in SIGNATURES.items():
        if start.startswith(signature) and signature not in allowed:
            raise ValueError(
                f"{str(path)!r} must be {wanted}, as its extension says. Got {what} instead. "
                "Rename or convert it."
            )


def _wrong_encoding(path: Path, encoding: str) -> ValueError:
    content = path.read_bytes()
    advice = "Save it as UTF-8; in Python, read_table takes others, such as encoding='latin-1'."
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        advice = "It looks like UTF-16: save it as UTF-8; in Python, read_table takes 'utf-16'."
    try:
        content.decode(encoding)
        place, byte = 0, content[0]  # the decoder of lines was stricter
    except UnicodeDecodeError as error:
        place, byte = error.start, error.object[error.start]
    line = content[:place].count(b"\n") + 1
    name = encoding.removesuffix("-sig")
    return ValueError(
        f"{str(path)!r} must be text in {name}. Got the byte 0x{byte:02x} in line {line}, which "
        f"is not. {advice}"
    )


def _as_dates(column: pd.Series) -> pd.Series:
    """Return a text column as dates if all of it is ISO dates."""
    if not (pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column)):
        return column
    present = column.dropna()
    if present.empty or not all(isinstance(v, str) and DATE.fullmatch(v) for v in present):
        return column
    try:
        return pd.to_datetime(column, format="ISO8601")
    except ValueError:  # the 31st of February, or time zones in some rows only
        return column


def _read_arrow(path: Path, extension: str) -> pd.DataFrame:
    try:
        import pyarrow
    except ImportError as error:
        raise ImportError(
            f"Reading {extension} files needs pyarrow, which is not installed. Install it with "
            'pip install "narrows[tables]".'
        ) from error
    if extension in PARQUET:
        wanted = "a Parquet file"
        _check_signature(path, wanted, allowed=(b"PAR1",))
        reader: Any = _parquet
    else:
        wanted = "an Arrow file"
        _check_signature(path, wanted, allowed=(b"ARROW1",))
        reader = _ipc
    try:
        table = reader(path)
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise ValueError(
            f"{str(path)!r} must be {wanted}, as its extension says. It is something else or "
            f"was cut off ({str(error).splitlines()[0]}). Write it again."
        ) from error
    _check_names(path, table.column_names)
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


def _called(separator: str) -> str:
    return {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}[separator]
