"""From a frame's values to levels, colours and shapes; knows nothing of plotnine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# Okabe and Ito (2008), "Color universal design". The classes take the colours with the most
# contrast on white first; roles (original, pca, training ...) start elsewhere in the palette,
# so that no role looks like a class in the figure beside it.
BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"
PURPLE, ORANGE, SKY, YELLOW, BLACK = "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000"
# Paul Tol's wine and pale grey bring ten classes, such as digits, to ten colours.
WINE, PALE = "#882255", "#BBBBBB"
CLASS_COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK, WINE, YELLOW, PALE)
ROLE_COLOURS = (BLACK, PURPLE, SKY, ORANGE, GREEN, VERMILLION, BLUE)

# Ten colours and nine shapes share no factor: together they tell ninety levels apart.
SHAPES = ("o", "^", "s", "D", "v", "P", "X", "<", ">")

MISSING = "(missing)"
MISSING_COLOUR, MISSING_SHAPE = "#7F7F7F", "x"


def require_columns(frame: pd.DataFrame, names: Iterable[str], figure: str) -> None:
    """Raise a ValueError that names every column ``figure`` needs and ``frame`` lacks."""
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise ValueError(
            f"The frame for {figure} lacks the column(s) {', '.join(map(repr, missing))}; "
            f"it has {', '.join(repr(name) for name in frame.columns) or 'none'}."
        )


def levels_of(values: pd.Series, *, by_appearance: bool = False) -> list[str]:
    """
    List the levels of a column as text, missing values last.

    A categorical column's own order is kept, unused categories included: a level then has the
    same colour whichever rows are drawn. Other columns are sorted, or keep the order in which
    their values first appear.
    """
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype):
        known = list(values.cat.categories)
    else:
        known = list(values.dropna().unique())
        if not by_appearance:
            known = _sorted(known)
    levels = list(dict.fromkeys(str(value) for value in known))
    return [*levels, MISSING] if values.isna().any() else levels


def as_levels(values: pd.Series, levels: Sequence[str]) -> pd.Categorical:
    """Return ``values`` as a categorical of text over ``levels``; shape (rows,)."""
    import pandas as pd

    text = values.astype(object).map(str).mask(values.isna().to_numpy(), MISSING)
    return pd.Categorical(text, categories=list(levels), ordered=False)


def colours_for(levels: Sequence[str], palette: Sequence[str]) -> dict[str, str]:
    """Give each level its colour, by its place among the levels."""
    colours = {level: palette[place % len(palette)] for place, level in enumerate(levels)}
    return colours | ({MISSING: MISSING_COLOUR} if MISSING in colours else {})


def shapes_for(levels: Sequence[str]) -> dict[str, str]:
    """Give each level its point shape, by its place among the levels."""
    shapes = {level: SHAPES[place % len(SHAPES)] for place, level in enumerate(levels)}
    return shapes | ({MISSING: MISSING_SHAPE} if MISSING in shapes else {})


def _sorted(values: list) -> list:
    try:
        return sorted(values)
    except TypeError:  # values of several types have no order but that of their text
        return sorted(values, key=str)
