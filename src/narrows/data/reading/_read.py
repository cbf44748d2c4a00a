"""Reading a table from a file: CSV, TSV, other text, Parquet or Arrow."""

import os
from collections.abc import Iterable

import pandas as pd

from narrows._checks import listed
from narrows._files import at_home
from narrows.data.reading._arrow import ARROW, PARQUET, read_arrow
from narrows.data.reading._checks import check_there
from narrows.data.reading._files import GZIP
from narrows.data.reading._form import SEPARATORS, Form
from narrows.data.reading._text import read_text

KNOWN = (*SEPARATORS, *(name + GZIP for name in SEPARATORS), *sorted(PARQUET | ARROW))


def read_table(
    path: str | os.PathLike,
    *,
    separator: str | None = None,
    decimal: str = ".",
    encoding: str = "utf-8",
    thousands: str | None = None,
    na_values: str | Iterable[str] = (),
    text: str | Iterable[str] = (),
    drop: str | Iterable[str] = (),
) -> pd.DataFrame:
    r"""Read a table from a file whose extension says what it is.

    Parameters
    ----------
    path : path-like
        ``.csv`` (commas) or ``.tsv`` (tabs) with a header line, which Excel's ``sep=;`` may come
        before, ``.parquet``, or ``.arrow``,
        ``.feather`` or ``.ipc``. With a separator, text of any other extension too. Text may be
        packed with gzip, its name then ending in ``.gz`` (``.csv.gz``).
    separator : str, optional
        What stands between the fields of text, one character; without it, what a first line such
        as ``sep=;`` or the extension says.
    decimal : {".", ","}, default="."
        Decimal point or comma in text.
    encoding : str, default="utf-8"
        Of text. "utf-16" and "utf-32" need no byte order mark.
    thousands : str, optional
        What stands between groups of three digits in text, such as ``","`` in 27,932.40.
    na_values : str or iterable of str, default=()
        What stands for a missing value in text, beside empty cells, NA and the like.
    text : str or iterable of str, default=()
        Columns of a text file that stay as they are written, such as postal codes. There, NA, None,
        nan and the like are codes as any other; empty cells and `na_values` are missing.
    drop : str or iterable of str, default=()
        Columns that are left out, and not read: whatever is wrong with their values.

    Returns
    -------
    pandas.DataFrame
        With at least one row and distinct column names, which are text. In text files, columns
        of ISO dates (``2024-05-17``, with or without a time) are dates, in UTC if their time
        zones differ; empty cells, NA and the like are missing, but for NA and the like in `text`;
        a column with neither name nor values is left out, and so is a separator at the end of
        every line. An index with a name, which pandas put into Parquet or Arrow, is the first
        column.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the extension is not known; if the file is empty, has no rows, repeats a column name
        or lacks one, has a line of another length or bytes of another encoding, is cut off, or
        is not what its extension says; if Parquet or Arrow have values that pandas cannot show,
        such as the year 12000; if a separator, decimal, encoding or another option is
        not one, or is given for Parquet or Arrow; if no number has a decimal comma that
        `decimal` says they have, but some have points.
    ImportError
        If Parquet or Arrow is asked for and pyarrow is not installed.

    Warns
    -----
    UserWarning
        If whole numbers have leading zeros, which get lost (10,000 rows are looked at); if some
        columns' numbers have decimal points where `decimal` is a comma.

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
    path = at_home(path)
    extension = path.suffix.lower()
    form = Form(separator, decimal, encoding, thousands, na_values, text)
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
            "separator, decimal, encoding, thousands, na_values and text are of text files. Got "
            f"{', '.join(form.given())} for {path.name!r}. Leave them out."
        )
    if path.stat().st_size == 0:
        raise ValueError(f"{str(path)!r} must hold a table. It is empty (0 bytes).")
    left = [drop] if isinstance(drop, str) else list(drop)
    table = read_text(path, form, left) if is_text else read_arrow(path, left)
    if len(table) == 0:
        raise ValueError(
            f"{str(path)!r} must have rows. Got the columns {listed(table.columns)} without any."
        )
    return table
