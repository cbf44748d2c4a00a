"""Reading a table from lines of text."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from narrows.data._containers import listed
from narrows.data._read_checks import check_names, check_signature, check_there
from narrows.data._text_files import extension_of, is_packed, opened
from narrows.data._text_form import GAPS, SEPARATORS, Form
from narrows.data._text_numbers import CODE_ROWS, check_decimals, is_text, ungrouped, warn_of_codes
from narrows.data._written_dates import as_dates

CALLED = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars", " ": "spaces"}


def read_text(path: Path, form: Form) -> pd.DataFrame:
    """Return the table of a text file, columns of dates as dates."""
    check_signature(path, "text", why=form.why)
    separator = form.between(path)
    assert separator is not None
    try:
        header = _header_of_checked_lines(path, separator, form)
        _check_text(path, form, header)
        table = pd.read_csv(
            **_how(path, form, header), decimal=form.decimal, dtype=dict.fromkeys(form.text, str),
            low_memory=False,
        )  # fmt: skip
    except UnicodeError as error:
        raise _wrong_encoding(path, form.codec) from error
    except (csv.Error, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{str(path)!r} must be a table of text lines. {error}.") from error
    table = _without_nameless(path, header, table)
    for name in table.columns:
        column = table[name]
        if name not in form.text and is_text(column):
            table[name] = as_dates(ungrouped(column, form))
    check_decimals(path, table, form)

    def written(names: Sequence[str]) -> pd.DataFrame:
        return pd.read_csv(**_how(path, form, header), usecols=names, dtype=str, nrows=CODE_ROWS)

    warn_of_codes(table, written)
    return table


def header_of(path: Path, form: Form) -> list[str]:
    """Return the first line of a text file; nothing of a file that cannot be read."""
    check_there(path)
    try:
        with opened(path, form.codec) as file:
            lines = csv.reader(file, delimiter=str(form.between(path)))
            return next((line for line in lines if line), [])
    except (UnicodeError, csv.Error):
        return []


def read_cells(path: Path, names: Sequence[str], form: Form) -> pd.DataFrame:
    """Return columns of a text file as the text that they are in it, nothing missing."""
    how = _how(path, form) | {"na_values": None, "keep_default_na": False}
    return pd.read_csv(**how, usecols=list(names), dtype=str)[list(names)]


def _how(path: Path, form: Form, header: Sequence[str] = ()) -> dict[str, Any]:
    """Return what pandas is told; with a header, also what is missing in which column."""
    gaps: Any = list(form.na_values) or None
    if form.text and header:
        # NA is a code in a column that is to stay as it is written: Namibia, North America.
        names = [name or f"Unnamed: {place}" for place, name in enumerate(header)]
        gaps = {name: ["", *form.na_values, *(() if name in form.text else GAPS)] for name in names}
    return {
        "filepath_or_buffer": path,
        "sep": form.between(path),
        "encoding": form.codec,
        "compression": "gzip" if is_packed(path) else None,
        "na_values": gaps,
        "keep_default_na": not isinstance(gaps, dict),
    }


def _check_text(path: Path, form: Form, header: list[str]) -> None:
    missing = [name for name in form.text if name not in header]
    if missing:
        raise ValueError(
            f"text must name columns of {str(path)!r}. Got {listed(missing)} instead. It has "
            f"{listed(header)}."
        )


def _header_of_checked_lines(path: Path, separator: str, form: Form) -> list[str]:
    """Return the first line; raise unless its names are distinct and all lines as long.

    pandas would fill up short lines and rename repeated columns in silence.
    """
    with opened(path, form.codec) as file:
        lines = csv.reader(file, delimiter=separator)
        header = next((line for line in lines if line), None)
        if header is None:
            raise ValueError(f"{str(path)!r} must hold a table. It has blank lines only.")
        _check_separator(path, header, separator, form.why)
        check_names(path, [name for name in header if name.strip()])
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


def _check_separator(path: Path, header: list[str], separator: str, why: str) -> None:
    others = [other for other in ",;\t|" if other != separator and other in header[0]]
    if len(header) == 1 and others:
        raise ValueError(
            f"{str(path)!r} must be separated by {_called(separator)}, {why}. Got the first line "
            f"{header[0][:60]!r} instead, which looks separated by {_called(others[0])}. "
            f"{_advice(path, others[0])}."
        )


def _advice(path: Path, found: str) -> str:
    """How a file is read that is separated by something else."""
    if SEPARATORS.get(extension_of(path)) == found:
        return "Leave separator out (--separator on the command line)"
    if found == ";":  # R's write.csv2, and spreadsheets where decimals have commas
        return (
            "Give separator=';', and decimal=',' if its numbers have decimal commas (--separator "
            "and --decimal on the command line)"
        )
    renamed = [extension for extension, separator in SEPARATORS.items() if separator == found]
    rename = f"Rename it to {renamed[0]}, or give" if renamed else "Give"
    return f"{rename} separator={found!r} (--separator on the command line)"


def _wrong_encoding(path: Path, encoding: str) -> ValueError:
    with opened(path) as file:
        content = file.read()
    looks, such = "", "'latin-1'"
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        looks, such = "It looks like UTF-16. ", "'utf-16'"
    advice = (
        f"{looks}Give its encoding, such as encoding={such} (--encoding on the command line), or "
        "save it as UTF-8."
    )
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


def _called(separator: str) -> str:
    return CALLED.get(separator, repr(separator))
