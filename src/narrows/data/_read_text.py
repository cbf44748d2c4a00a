"""Reading a table from lines of text."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from narrows.data._read_checks import AS_NAMED, check_names, check_signature
from narrows.data._text_files import extension_of, is_packed, opened

SEPARATORS = {".csv": ",", ".tsv": "\t"}
CALLED = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars", " ": "spaces"}
DATE = re.compile(
    r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,9})?)?( ?(Z|[+-]\d{2}:?\d{2}))?)?"
)


@dataclass(frozen=True)
class Form:
    """How a table is written as text.

    Parameters
    ----------
    separator : str or None
        Between fields; None for what the file's extension says.
    decimal : str
        Decimal point or comma.
    encoding : str
    """

    separator: str | None = None
    decimal: str = "."
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        one = self.separator
        if one is not None and (
            not isinstance(one, str) or len(one) != 1 or one.isalnum() or one in '."\r\n'
        ):
            raise ValueError(
                "separator must be one character between fields, such as ';', that is no letter, "
                f"digit, point or double quote. Got {one!r} instead. Leave it out for .csv with "
                "commas and .tsv."
            )
        if self.decimal not in {".", ","}:
            raise ValueError(f"decimal must be '.' or ','. Got {self.decimal!r} instead.")
        try:
            "".encode(self.encoding)
        except LookupError as error:
            raise ValueError(
                "encoding must be one that Python knows, such as 'utf-8', 'latin-1', 'cp1252' or "
                f"'utf-16'. Got {self.encoding!r} instead."
            ) from error

    def between(self, path: Path) -> str | None:
        """Return what separates the fields of a file; None if it is not text."""
        return self.separator or SEPARATORS.get(extension_of(path))

    @property
    def codec(self) -> str:
        """The encoding, a byte order mark being no part of the first name."""
        is_utf8 = self.encoding.lower().replace("_", "-") in {"utf-8", "utf8"}
        return "utf-8-sig" if is_utf8 else self.encoding

    @property
    def why(self) -> str:
        """What a file contradicts that is separated otherwise."""
        return AS_NAMED if self.separator is None else f"as separator={self.separator!r} says"

    def given(self) -> list[str]:
        """Return what differs from the default, as it is written in Python."""
        default = Form()
        return [
            f"{name}={value!r}"
            for name, value in vars(self).items()
            if value != vars(default)[name]
        ]


def read_text(path: Path, form: Form) -> pd.DataFrame:
    """Return the table of a text file, columns of dates as dates."""
    check_signature(path, "text", why=form.why)
    separator = form.between(path)
    assert separator is not None
    try:
        header = _header_of_checked_lines(path, separator, form)
        table = pd.read_csv(
            path, sep=separator, decimal=form.decimal, encoding=form.codec, low_memory=False,
            compression=_compression(path),
        )  # fmt: skip
    except UnicodeError as error:
        raise _wrong_encoding(path, form.codec) from error
    except (csv.Error, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{str(path)!r} must be a table of text lines. {error}.") from error
    table = _without_nameless(path, header, table)
    for name in table.columns:
        table[name] = _as_dates(table[name])
    return table


def read_cells(path: Path, names: list[str], form: Form) -> pd.DataFrame:
    """Return columns of a text file as the text that they are in it, nothing missing."""
    return pd.read_csv(
        path, sep=form.between(path), encoding=form.codec, usecols=names, dtype=str,
        keep_default_na=False, compression=_compression(path),
    )[names]  # fmt: skip


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


def _compression(path: Path) -> str | None:
    return "gzip" if is_packed(path) else None


def _called(separator: str) -> str:
    return CALLED.get(separator, repr(separator))
