"""Rows against their reconstruction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from narrows.plots._levels import as_levels, require_columns
from narrows.plots._points import points_in_order
from narrows.plots._theme import light_theme, role_scales

if TYPE_CHECKING:
    import pandas as pd
    from plotnine import ggplot


def reconstruction(
    original: pd.DataFrame,
    reconstructed: pd.DataFrame,
    x: str = "Petal.Length",
    y: str = "Sepal.Width",
) -> ggplot:
    """
    Draw two columns of the original rows and of their reconstruction in one scatter.

    Parameters
    ----------
    original, reconstructed : DataFrame of shape (rows, columns)
        Tables with the columns ``x`` and ``y``.
    x, y : str
        The columns on the axes.

    Returns
    -------
    ggplot
        Coloured by ``data_origin``; originals hollow, reconstructed points on top.

    Raises
    ------
    ValueError
        If one of the tables lacks ``x`` or ``y``.
    """
    import pandas as pd
    from plotnine import aes, ggplot, labs

    tables = {"original": original, "reconstructed": reconstructed}
    parts = []
    for origin, table in tables.items():
        require_columns(table, [x, y], f"reconstruction ({origin} rows)")
        parts.append(pd.DataFrame({"x": table[x], "y": table[y], "origin": origin}))
    points = pd.concat(parts, ignore_index=True)
    origins = list(tables)
    points["origin"] = as_levels(points["origin"], origins)
    return (
        ggplot(points, aes("x", "y", color="origin", fill="origin", shape="origin"))
        + points_in_order(points, "origin", origins)
        + role_scales(origins, "data_origin")
        + labs(x=x, y=y)
        + light_theme()
    )
