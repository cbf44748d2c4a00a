"""Telling numbers that are written as text from other text."""

import re
from collections.abc import Sequence

PLAIN = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
# Digits in groups of three or not, then a decimal comma or point, then a percent sign.
WRITTEN = re.compile(
    r"[+\-\u2212]?\s?(?=[.,]?[0-9])([0-9]*|[1-9][0-9]{0,2}([\s.,'\u2019][0-9]{3})+)"
    r"([.,][0-9]*)?([eE][+-]?[0-9]+)?\s?%?"
)
CODE = re.compile(r"0[0-9]+")  # no one writes numbers so, but postal codes
FEWEST, SHARE = 10, 0.9


def is_plain(text: str) -> bool:
    """Whether text is a number as programs write it, such as -1.5e3."""
    return PLAIN.fullmatch(text) is not None


def first_unplain(texts: Sequence[str]) -> str | None:
    """Return what keeps nearly all numbers from being read as numbers.

    Parameters
    ----------
    texts : sequence of str
        A column's values without missing ones.

    Returns
    -------
    str or None
        The first value that is no plain number, if nine in ten or more are numbers in some
        manner of writing. None of fewer than ten values, of other text, of codes with leading
        zeros, and of plain numbers only, which are text because someone made them so.
    """
    odd = next((text for text in texts if not is_plain(text)), None)
    if odd is None or len(texts) < FEWEST or any(CODE.fullmatch(text) for text in texts):
        return None
    numbers = sum(WRITTEN.fullmatch(text.strip()) is not None for text in texts)
    return odd if numbers >= SHARE * len(texts) else None
