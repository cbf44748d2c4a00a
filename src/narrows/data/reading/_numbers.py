"""Numbers in text files that pandas does not read, or not as they are meant."""

import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from narrows._checks import listed
from narrows.data.reading._form import Form
from narrows.data.reading._numbers_in_text import SHARE

CODE_ROWS = 10_000  # tell codes; all rows would take longer than reading the table
_POINTED = re.compile(r"\s*[+-]?[0-9]*\.[0-9]*([eE][+-]?[0-9]+)?\s*")
_ZEROS = r"\s*[+-]?0[0-9]+\s*"


def ungrouped(column: pd.Series, form: Form) -> pd.Series:
    """Return a text column as numbers if all of it is, with digits in groups of three."""
    pattern = form.grouped
    if pattern is None or column.isna().all():
        return column
    # pandas leaves integers beyond 64 bits, and booleans with gaps, as Python's objects.
    texts = column.map(lambda v: str(v) if type(v) is int else v)
    if not all(isinstance(v, str) and pattern.fullmatch(v) for v in texts.dropna()):
        return column
    plain = texts.str.replace(str(form.thousands), "", regex=False)
    numbers = pd.to_numeric(plain.str.replace(form.decimal, ".", regex=False).str.strip())
    return numbers.astype("float64") if pd.api.types.is_object_dtype(numbers) else numbers


def check_decimals(path: Path, table: pd.DataFrame, form: Form) -> None:
    """Raise ValueError if a decimal comma is asked for where points are; warn if both are.

    Each value would be a level of its own, in silence.
    """
    if form.decimal == ".":
        return
    pointed = [name for name in table.columns if name not in form.text and _pointed(table[name])]
    if not pointed:
        return
    first = str(table[pointed[0]].dropna().iloc[0])
    found = f"numbers with points, such as {first!r}, in {listed(pointed)}"
    advice = "If these stand between thousands, give thousands='.' (--thousands)"
    if any(_has_fractions(table[name]) for name in table.columns):
        warnings.warn(
            f"decimal=',' was given, but there are {found}; they are taken for text. {advice}.",
            UserWarning,
            stacklevel=4,
        )
        return
    raise ValueError(
        f"The numbers of {str(path)!r} must have decimal commas, as decimal=',' says. Got {found}, "
        f"instead. Leave decimal out (--decimal on the command line). {advice}; if they are no "
        "numbers, name these columns with text (--text)."
    )


def warn_of_codes(table: pd.DataFrame, texts: Callable[[Sequence[str]], pd.DataFrame]) -> None:
    """Warn of whole numbers with leading zeros, which are codes more often than numbers."""
    whole = [name for name in table.columns if _is_whole(table[name])]
    if not whole:
        return
    written = texts(whole)
    for name in whole:
        zeros = written[name].str.fullmatch(_ZEROS).fillna(False).astype(bool)
        if zeros.any():
            row = int(zeros.to_numpy().argmax())
            warnings.warn(
                f"Column {name!r} has leading zeros, first {written[name].iloc[row]!r} in row "
                f"{row} (counted from 0), and is read as numbers, without them. If these are "
                f"codes, keep them with text={name!r} of read_table (--text on the command line).",
                UserWarning,
                stacklevel=4,
            )


def _is_whole(column: pd.Series) -> bool:
    if pd.api.types.is_integer_dtype(column):
        return True
    gaps = pd.api.types.is_float_dtype(column) and column.isna().any()
    return bool(gaps and (column.dropna() % 1 == 0).all() and column.notna().any())


def is_text(column: pd.Series) -> bool:
    """Whether a column of a text file was left as text, or as objects."""
    return pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column)


def _pointed(column: pd.Series) -> bool:
    if not is_text(column):
        return False
    present = column.dropna()
    numbers = [one for one in present if isinstance(one, str) and _POINTED.fullmatch(one)]
    return len(numbers) > SHARE * len(present)


def _has_fractions(column: pd.Series) -> bool:
    return bool(pd.api.types.is_float_dtype(column) and (column.dropna() % 1 != 0).any())
