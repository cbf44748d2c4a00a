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
# What is put where there is no number, beside the empty cells and NA that pandas knows.
ABSENT = re.compile(r"[^\w\s]{1,4}|unknown|missing|none|n\.a\.|nd|not available|na", re.IGNORECASE)


def is_plain(text: str) -> bool:
    """Whether text is a number as programs write it, such as -1.5e3."""
    return PLAIN.fullmatch(text) is not None


def first_unplain(texts: Sequence[str]) -> str | None:
    """Return what keeps nearly all numbers from being read as numbers."""
    odd = next((text for text in texts if not is_plain(text)), None)
    if odd is None or len(texts) < FEWEST or any(CODE.fullmatch(text) for text in texts):
        return None
    others = [text for text in texts if WRITTEN.fullmatch(text.strip()) is None]
    if len(others) <= (1 - SHARE) * len(texts):
        return odd
    sign = others[0] if len(set(others)) == 1 else ""
    return sign if ABSENT.fullmatch(sign) and len(others) <= len(texts) / 2 else None


def how_to_read(odd: str) -> str:
    """Return the options of `read_table` that may make a number of such a value."""
    if ABSENT.fullmatch(odd) or WRITTEN.fullmatch(odd.strip()) is None:
        return f"na_values={odd!r} of read_table (--na on the command line)"
    separating = re.findall(r"(?<=[0-9])[^0-9eE](?=[0-9])", odd)
    if "%" in odd or not separating:
        return "signs such as % left out"
    *groups, last = separating
    decimal = last if last in ".," and last not in groups else None
    if decimal and not groups:
        one_group = re.search(r"^[^0-9]?[0-9]{1,3},[0-9]{3}$", odd)
        either = "decimal=',' or thousands=','" if one_group else "decimal=','"
        return f"{either} of read_table (the same with -- on the command line)"
    sign = groups[0] if decimal else last
    comma = "decimal=',' and " if decimal == "," or sign == "." else ""
    return f"{comma}thousands={sign!r} of read_table (the same with -- on the command line)"
