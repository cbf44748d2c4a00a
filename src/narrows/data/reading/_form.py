"""How a table is written as text: separators, signs, and what is to stay as it is."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from narrows.data.reading._checks import AS_NAMED
from narrows.data.reading._files import extension_of

SEPARATORS = {".csv": ",", ".tsv": "\t"}
THOUSANDS = {",", ".", "'", "\u2019", "_", " ", "\u00a0", "\u202f"}
# What pandas takes for a missing value beside an empty field, in columns that may be numbers.
GAPS = frozenset(
    ["#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
     "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"]
)  # fmt: skip


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
    thousands : str or None
        Between groups of three digits.
    na_values : tuple of str
        What stands for a missing value, beside empty fields, NA and the like.
    text : tuple of str
        Columns that stay text, such as codes of digits. Of NA and the like, they have codes too.
    """

    separator: str | None = None
    decimal: str = "."
    encoding: str = "utf-8"
    thousands: str | None = None
    na_values: Iterable[str] = ()
    text: Iterable[str] = ()

    def __post_init__(self) -> None:
        _check_separator(self.separator)
        if self.decimal not in {".", ","}:
            raise ValueError(f"decimal must be '.' or ','. Got {self.decimal!r} instead.")
        _check_encoding(self.encoding)
        if self.thousands is not None and self.thousands not in THOUSANDS - {self.decimal}:
            raise ValueError(
                "thousands must be what stands between groups of three digits, such as ',' or "
                f"' ', and not the decimal sign {self.decimal!r}. Got {self.thousands!r} instead."
            )
        for name in ("na_values", "text"):
            given = getattr(self, name)
            several = tuple([given] if isinstance(given, str) else given)
            if not all(isinstance(one, str) for one in several):
                raise ValueError(f"{name} must be text. Got {several!r} instead.")
            object.__setattr__(self, name, several)

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

    @property
    def grouped(self) -> re.Pattern | None:
        """What numbers look like whose digits stand in groups; None without such numbers."""
        if self.thousands is None:
            return None
        sign, point = re.escape(self.thousands), re.escape(self.decimal)
        return re.compile(
            rf"\s*[+-]?([0-9]{{1,3}}({sign}[0-9]{{3}})+|[0-9]*)(?<=[0-9])({point}[0-9]*)?"
            rf"([eE][+-]?[0-9]+)?\s*|\s*[+-]?{point}[0-9]+([eE][+-]?[0-9]+)?\s*"
        )

    def given(self) -> list[str]:
        """Return what differs from the default, as it is written in Python."""
        default = Form()
        return [
            f"{name}={value!r}"
            for name, value in vars(self).items()
            if value != vars(default)[name]
        ]


def is_separator(one: object) -> bool:
    """Whether it can stand between fields."""
    return isinstance(one, str) and len(one) == 1 and not one.isalnum() and one not in '."\r\n'


def _check_separator(one: str | None) -> None:
    if one is not None and not is_separator(one):
        raise ValueError(
            "separator must be one character between fields, such as ';', that is no letter, "
            f"digit, point or double quote. Got {one!r} instead. Leave it out for .csv with "
            "commas and .tsv."
        )


def _check_encoding(encoding: str) -> None:
    try:
        "".encode(encoding)
    except LookupError as error:
        raise ValueError(
            "encoding must be one that Python knows, such as 'utf-8', 'latin-1', 'cp1252' or "
            f"'utf-16'. Got {encoding!r} instead."
        ) from error
