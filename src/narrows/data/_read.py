"""Reading a table from a file: CSV, TSV, other text, Parquet or Arrow."""

import os
from pathlib import Path

import pandas as pd

from narrows.data._containers import listed
from narrows.data._read_arrow import ARROW, PARQUET, read_arrow
from narrows.data._read_checks import check_there
from narrows.data._read_text import SEPARATORS, Form, read_text
from narrows.data._text_files import GZIP

KNOWN = (*SEPARATORS, *(name + GZIP for name in SEPARATORS), *sorted(PARQUET | ARROW))


def read_table(
    path: str | os.PathLike,
    *,
    separator: str | None = None,
    decimal: str = ".",
    encoding: str = "utf-8",
) -> pd.DataFrame:
    r"""Read a table from a file whose extension says what it is.

    Parameters
    ----------
    path : path-like
        ``.csv`` (commas) or ``.tsv`` (tabs) with a header line, ``.parquet``, or ``.arrow``,
        ``.feather`` or ``.ipc``. With a separator, text of any other extension too. Text may be
        packed with gzip, its name then ending in ``.gz`` (``.csv.gz``).
    separator : str, optional
        What stands between the fields of text, one character; without it, what the extension says.
    decimal : {".", ","}, default="."
        Decimal point or comma in text.
    encoding : str, default="utf-8"
        Of text.

    Returns
    -------
    pandas.DataFrame
        With at least one row and distinct column names, which are text. In text files, columns
        of ISO dates (``2024-05-17``, with or without a time) are dates; empty cells, NA and the
        like are missing; a column with neither name nor values is left out. An index with a
        name, which pandas put into Parquet or Arrow, is the first column.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the extension is not known; if the file is empty, has no rows, repeats a column name
        or lacks one, has a line of another length or bytes of another encoding, is cut off, or
        is not what its extension says; if a separator, decimal or encoding is not one, or is
        given for Parquet or Arrow.
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

    What R's ``write.csv2`` and many spreadsheets write:

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "cats.csv")
    ...     _ = file.write_text("name;weight\nTom;4,5\n")
    ...     read_table(file, separator=";", decimal=",").weight[0].item()
    4.5
    """
    path = Path(path)
    extension = path.suffix.lower()
    form = Form(separator, decimal, encoding)
    check_there(path)
    is_text = extension not in PARQUET | ARROW
    if is_text and form.between(path) is None:
        raise ValueError(
            f"A table's file must end in {', '.join(KNOWN)}. Got {path.name!r} instead. Give "
            "separator if it is text (--separator on the command line), convert it, or rename it "
            "if it is one of these."
        )
    if not is_text and form.given():
        raise ValueError(
            f"separator, decimal and encoding are of text. Got {', '.join(form.given())} for "
            f"{path.name!r}. Leave them out."
        )
    if path.stat().st_size == 0:
        raise ValueError(f"{str(path)!r} must hold a table. It is empty (0 bytes).")
    table = read_text(path, form) if is_text else read_arrow(path)
    if len(table) == 0:
        raise ValueError(
            f"{str(path)!r} must have rows. Got the columns {listed(table.columns)} without any."
        )
    return table
