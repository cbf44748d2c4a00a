"""Drawings that stand in for figures: SVG documents, as small as they can be without a loss."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from typing import Any

from narrows.plots import figure_svg

_COORDINATES = re.compile(r'\b(d|x|y|points)="([^"]*)"')
_DECIMALS = re.compile(r"(\.\d\d)\d+")
_STYLE = re.compile(r'\bstyle="([^"]*)"')
_OFTEN = 4


def still(figure: Any) -> str:
    """Return a figure as SVG, without a word about signs that its font lacks.

    The page itself shows an emoji in a label; in the drawing it is a box.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        return figure_svg(figure)


def compact(svg: str) -> str:
    """Return an SVG document of matplotlib's with less to store.

    Coordinates keep two decimals of a point, a seventy-second of an inch, and a style that many
    elements have is written down once.
    """
    rounded = _COORDINATES.sub(_two_decimals, svg)
    counts = Counter(_STYLE.findall(rounded))
    names = {
        style: f"s{place}"
        for place, (style, number) in enumerate(counts.items())
        if number >= _OFTEN and "<" not in style
    }
    if not names:
        return rounded
    rules = "".join(f".{name}{{{style}}}" for style, name in names.items())
    named = _STYLE.sub(lambda found: _named(found, names), rounded)
    start = named.index(">", named.index("<svg")) + 1
    return f"{named[:start]}<style>{rules}</style>{named[start:]}"


def _two_decimals(found: re.Match[str]) -> str:
    return f'{found[1]}="' + _DECIMALS.sub(r"\1", found[2]) + '"'


def _named(found: re.Match[str], names: dict[str, str]) -> str:
    name = names.get(found[1])
    return found[0] if name is None else f'class="{name}"'
