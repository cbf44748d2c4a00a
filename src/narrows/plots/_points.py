"""Scatter layers, by how many points there are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# Above this many points an SVG with one element a point is slow to open; an image is drawn.
MOST_VECTOR_POINTS = 5_000


def point_style(rows: int) -> dict[str, Any]:
    """Return size, transparency and rasterising for a scatter of ``rows`` points."""
    if rows > MOST_VECTOR_POINTS:
        return {"size": 0.8, "alpha": 0.5, "stroke": 0.0, "raster": True}
    if rows > 1_000:
        return {"size": 1.3, "alpha": 0.6, "stroke": 0.2}
    return {"size": 2.2, "alpha": 0.75, "stroke": 0.4}


def points_in_order(points: pd.DataFrame, column: str, levels: Sequence[str]) -> list[Any]:
    """
    Return one layer per level, the last on top.

    Within one layer plotnine draws shape after shape in the order of their codes.
    """
    from plotnine import geom_point

    style = point_style(len(points))
    return [geom_point(data=points[points[column] == level], **style) for level in levels]
