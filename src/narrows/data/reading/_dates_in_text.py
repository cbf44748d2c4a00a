"""Telling dates that are written as text from other text."""

import datetime
import re
from collections.abc import Sequence

import pandas as pd

from narrows.data.reading._numbers_in_text import FEWEST, SHARE

_TIME = r"([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d([.,]\d{1,9})?)?( ?(?P<zone>Z|[+-]\d{2}:?\d{2}))?)?"
ISO = re.compile(r"\d{4}-\d{2}-\d{2}" + _TIME)
# 05.01.2020, 5/1/20 and 2020/01/05, with a time or without.
OTHER = re.compile(
    r"(\d{1,2}([./-])\d{1,2}\2(\d{4}|\d{2})|\d{4}([./-])\d{1,2}\4\d{1,2})([T ,]+\d{1,2}:\d{2}.*)?"
)
_SOME = 1_000


def as_dates(column: pd.Series) -> pd.Series:
    """Return a text column as dates if all of it is ISO dates, in UTC if time zones differ."""
    present = column.dropna()
    if present.empty or not all(isinstance(v, str) and ISO.fullmatch(v) for v in present):
        return column
    try:
        return pd.to_datetime(column, format="ISO8601")
    except ValueError:  # the 31st of February, or time zones that differ
        pass
    if not all(_zone(value) for value in present):
        return column
    try:  # summer and winter of one place
        return pd.to_datetime(column, format="ISO8601", utc=True)
    except ValueError:
        return column


def first_undated(texts: Sequence[str]) -> str | None:
    """Return what keeps nearly all dates from being read as dates."""
    some = texts[:: max(1, len(texts) // _SOME)]  # other text is told from dates by a few
    if len(texts) < FEWEST or _dated(some) < SHARE / 2 * len(some):
        return None
    if _dated(texts) < SHARE * len(texts):
        return None
    return next((text for text in texts if not is_date(text)), texts[0])


def is_date(text: str) -> bool:
    """Whether text is an ISO date of a day that there is."""
    if not ISO.fullmatch(text):
        return False
    try:
        datetime.date.fromisoformat(text[:10])  # the 30th of February
    except ValueError:
        return False
    return True


def _dated(texts: Sequence[str]) -> int:
    return sum(map(is_dated, texts))


def is_dated(text: str) -> bool:
    """Whether text looks like a date in some manner of writing."""
    return bool(ISO.fullmatch(text.strip()) or OTHER.fullmatch(text.strip()))


def _zone(text: str) -> str | None:
    found = ISO.fullmatch(text)
    return found and found["zone"]
