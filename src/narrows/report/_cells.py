"""From a data frame to the texts of a table's cells."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from narrows.report._blocks import Table

ABSENT = "–"
DIGITS, MOST_DECIMALS = 4, 6


@dataclass(frozen=True)
class Cells:
    """
    A table as text.

    Parameters
    ----------
    header : list of str
        Column names.
    numeric : list of bool
        Which columns are aligned as numbers.
    rows : list of list of str, of shape (rows, columns)
        The cells.
    left_out : int
        How many rows of the frame are not shown.
    bars : list of list, of shape (rows, columns)
        Length of the bar behind each cell in percent, None for no bar.
    """

    header: list[str]
    numeric: list[bool]
    rows: list[list[str]]
    left_out: int
    bars: list[list[float | None]]


def cells(table: Table) -> Cells:
    """Format what ``table`` shows of its frame."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    frame = table.frame.reset_index() if table.index else table.frame
    shown = frame.head(table.max_rows)
    columns = [shown.iloc[:, place] for place in range(shown.shape[1])]
    texts = [_column(column, table.formats) for column in columns]
    bars = [_bars(column, str(column.name) in table.bars) for column in columns]
    return Cells(
        header=[_name(name) for name in shown.columns],
        numeric=[is_numeric_dtype(c) and not is_bool_dtype(c) for c in columns],
        rows=[list(row) for row in zip(*texts, strict=True)],
        left_out=len(frame) - len(shown),
        bars=[list(row) for row in zip(*bars, strict=True)],
    )


def default_format(values: pd.Series) -> str:
    """
    Return one format for a numeric column, so that its decimal points line up.

    Whole numbers get thousands separators; others the decimals that show four significant
    digits of the largest value, or powers of ten where six decimals would not do.
    """
    from pandas.api.types import is_integer_dtype

    if is_integer_dtype(values):
        return ",d"
    sizes = [abs(value) for value in values.dropna().astype(float) if math.isfinite(value)]
    largest = max(sizes, default=0.0)
    if largest == 0:
        return ".1f"
    decimals = DIGITS - 1 - math.floor(math.log10(largest))
    return f".{DIGITS - 1}e" if decimals > MOST_DECIMALS else f",.{max(decimals, 0)}f"


def _column(values: pd.Series, formats: Mapping[str, str]) -> list[str]:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    spec = formats.get(str(values.name), "")
    if not spec and is_numeric_dtype(values) and not is_bool_dtype(values):
        spec = default_format(values)
    absent = values.isna()
    return [
        ABSENT if missing else _cell(value, spec)
        for value, missing in zip(values, absent, strict=True)
    ]


def _bars(values: pd.Series, wanted: bool) -> list[float | None]:
    shares = values.to_numpy(float) if wanted else [math.nan] * len(values)
    return [
        None if math.isnan(share) else round(100 * min(max(share, 0.0), 1.0), 1) for share in shares
    ]


def _cell(value: Any, spec: str) -> str:
    text = format(value, spec) if spec else str(value)
    # A minus sign is as wide as a plus and a digit; a hyphen is not.
    return f"−{text[1:]}" if spec and text.startswith("-") else text


def _name(name: Any) -> str:
    return " / ".join(map(str, name)) if isinstance(name, tuple) else str(name)
