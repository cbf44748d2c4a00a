"""Reading a table from lines of text."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from narrows.data.reading._checks import check_named, check_names, check_signature, check_there
from narrows.data.reading._dates_in_text import as_dates
from narrows.data.reading._files import extension_of, is_packed, long_fields, opened
from narrows.data.reading._form import GAPS, SEPARATORS, Form
from narrows.data.reading._layout import Layout, layout_of
from narrows.data.reading._numbers import (
    CODE_ROWS,
    check_decimals,
    is_text,
    ungrouped,
    warn_of_codes,
)

CALLED = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars", " ": "spaces"}


def read_text(path: Path, form: Form, drop: Sequence[str] = ()) -> pd.DataFrame:
    """Return the table of a text file without some columns, columns of dates as dates."""
    check_signature(path, "text", why=form.why)
    try:
        layout = layout_of(path, form)
        header = _header_of_checked_lines(path, layout)
        check_named(path, "text", form.text, header)
        check_named(path, "drop", drop, header)
        read = [place for place, name in enumerate(header) if name not in drop]
        how = _how(path, form, layout, header)
        if drop or form.text:  # with gaps by column pandas would warn of a separator at the end
            how |= {"usecols": read}
        table = pd.read_csv(
            **how, decimal=form.decimal, dtype=dict.fromkeys(form.text, str), low_memory=False
        )
    except UnicodeError as error:
        raise _wrong_encoding(path, form.codec) from error
    except (csv.Error, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{str(path)!r} must be a table of text lines. {error}.") from error
    table = _without_nameless(path, header, read, table)
    for name in table.columns:
        column = table[name]
        if name not in form.text and is_text(column):
            table[name] = as_dates(ungrouped(column, form))
    check_decimals(path, table, form)

    def written(names: Sequence[str]) -> pd.DataFrame:
        return pd.read_csv(**(how | {"usecols": names}), dtype=str, nrows=CODE_ROWS)

    warn_of_codes(table, written)
    return table


def header_of(path: Path, form: Form) -> list[str]:
    """Return the first line of a text file; nothing of a file that cannot be read."""
    check_there(path)
    try:
        layout = layout_of(path, form)
        with opened(path, layout.codec) as file, long_fields():
            return next(filter(None, _lines(file, layout)), [])
    except (ValueError, csv.Error):
        return []


def read_cells(path: Path, names: Sequence[str], form: Form) -> pd.DataFrame:
    """Return columns of a text file as the text that they are in it, nothing missing."""
    how = _how(path, form, layout_of(path, form))
    how |= {"na_values": None, "keep_default_na": False}
    return pd.read_csv(**how, usecols=list(names), dtype=str)[list(names)]


def _how(path: Path, form: Form, layout: Layout, header: Sequence[str] = ()) -> dict[str, Any]:
    """Return what pandas is told; with a header, also what is missing in which column."""
    gaps: Any = list(form.na_values) or None
    if form.text and header:
        # NA is a code in a column that is to stay as it is written: Namibia, North America.
        names = [name or f"Unnamed: {place}" for place, name in enumerate(header)]
        gaps = {name: ["", *form.na_values, *(() if name in form.text else GAPS)] for name in names}
    return {
        "filepath_or_buffer": path,
        "sep": layout.separator,
        "skiprows": layout.skipped,
        "encoding": layout.codec,
        "compression": "gzip" if is_packed(path) else None,
        "na_values": gaps,
        "keep_default_na": not isinstance(gaps, dict),
        "index_col": False,  # else a separator at the end of each line moves all columns
    }


def _lines(file: Any, layout: Layout) -> Any:
    for _ in range(layout.skipped):
        file.readline()
    return csv.reader(file, delimiter=layout.separator)


def _header_of_checked_lines(path: Path, layout: Layout) -> list[str]:
    """Return the first line; raise unless its names are distinct and all lines as long.

    pandas would fill up short lines and rename repeated columns in silence. All lines but the
    first, or it alone, may end in a separator.
    """
    with opened(path, layout.codec) as file, long_fields():
        lines = _lines(file, layout)
        header = next(filter(None, lines), None)
        if header is None:
            raise ValueError(f"{str(path)!r} must hold a table. It has blank lines only.")
        _check_separator(path, header, layout.separator, layout.why)
        check_names(path, [name for name in header if name.strip()])
        for place, line in enumerate(filter(None, lines)):
            if len(line) != len(header):
                number = lines.line_num + layout.skipped
                lengths = Counter(_length(one, header) for one in (line, *filter(None, lines)))
                if place or set(lengths) not in ({"ended"}, {"unended"}):
                    rows = place == 0 and set(lengths) <= {"ended", "longer"}
                    _raise_length(
                        path, layout.separator, header, line, number, row_names=rows,
                        last=lengths.total() == 1,
                    )  # fmt: skip
    return header


def _length(line: list[str], header: list[str]) -> str:
    """How a line's length differs from its header's."""
    if len(line) == len(header) + 1:
        return "longer" if line[-1].strip() else "ended"  # in a separator, unlike the header
    return "unended" if len(line) == len(header) - 1 and not header[-1].strip() else "another"


def _raise_length(
    path: Path, separator: str, header: list[str], line: list[str], number: int, *,
    row_names: bool, last: bool,
) -> None:  # fmt: skip
    got = f"{len(line)} in line {number}"
    called = _called(separator)
    advice = f"Put fields that contain {called} into double quotes"
    breaks = "".join(line).rstrip("\r\n").count("\n")
    if row_names:  # R's write.table has no name for them in its header
        got += " and every one after it"
        advice = (
            f"The first, such as {line[0][:60]!r}, looks like row names: write the table without "
            "them (row.names = FALSE in R), or give them a name"
        )
    elif last and breaks:
        advice = f"Close the double quote that opens in line {number - breaks}, or remove it"
    elif _length(line, header) == "ended":
        advice = f"End all lines in a separator or none, and put fields that contain {called} into "
        advice += "double quotes"
    raise ValueError(
        f"{str(path)!r} must have {len(header)} fields in every line, as in its first. Got {got} "
        f"instead: {separator.join(line)[:60]!r}. {advice}."
    )


def _without_nameless(
    path: Path, header: list[str], read: list[int], table: pd.DataFrame
) -> pd.DataFrame:
    """Drop empty columns without a name, as of a comma at the end of each line.

    Others would be features that pandas has named, row numbers above all.
    """
    nameless = [column for column, place in enumerate(read) if not header[place].strip()]
    if not nameless:
        return table
    for column in nameless:
        values = table.iloc[:, column].dropna()
        if len(values):
            _raise_nameless(path, read[column], str(values.iloc[0]))
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
    advice = (
        "Give its encoding, such as encoding='latin-1' (--encoding on the command line), or save "
        "it as UTF-8."
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
