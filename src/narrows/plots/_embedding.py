"""Embeddings side by side and on top of each other, as in the post."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from narrows.plots._levels import (
    as_levels,
    levels_of,
    require_columns,
)
from narrows.plots._points import point_style, points_in_order
from narrows.plots._theme import level_scales, light_theme, role_scales

if TYPE_CHECKING:
    import pandas as pd
    from plotnine import ggplot

AXES = ("dim_1", "dim_2")
# More distinct numbers than this are a quantity, not a set of classes.
MOST_NUMERIC_CLASSES = 12


def embedding_overlay(frame: pd.DataFrame) -> ggplot:
    """
    Draw several embeddings in one panel, coloured by where they come from.

    The embeddings share the axes although their units differ: the figure shows how they lie
    and spread, not distances between them. `embedding_facets` gives each its own axes.

    Parameters
    ----------
    frame : DataFrame
        Columns ``dim_1``, ``dim_2`` and ``data_origin``; one row per point.

    Returns
    -------
    ggplot
        One panel; origins in the order in which they appear.

    Raises
    ------
    ValueError
        If a column is missing.
    """
    from plotnine import aes, ggplot, labs

    require_columns(frame, [*AXES, "data_origin"], "embedding_overlay")
    origins = levels_of(frame["data_origin"], by_appearance=True)
    points = frame[list(AXES)].assign(origin=as_levels(frame["data_origin"], origins))
    return (
        ggplot(points, aes(*AXES, color="origin", fill="origin", shape="origin"))
        + points_in_order(points, "origin", origins)
        + role_scales(origins, "data_origin")
        + labs(x=AXES[0], y=AXES[1])
        + light_theme()
    )


def embedding_facets(frame: pd.DataFrame, label: str = "Species") -> ggplot:
    """
    Draw several embeddings beside each other, coloured by a label.

    Each facet has its own axes: an embedding's units are its own, so positions and distances
    can be compared within a facet, never between two.

    Parameters
    ----------
    frame : DataFrame
        Columns ``dim_1``, ``dim_2``, ``data_origin`` and ``label``; one row per point.
    label : str
        The column that colours the points. Classes get a fixed colour and shape, by their
        place among the categories or in sorted order; a numeric column with more than twelve
        different values gets a continuous scale.

    Returns
    -------
    ggplot
        One facet per origin, in the order in which they appear.

    Raises
    ------
    ValueError
        If a column is missing, or there is no row.
    """
    from plotnine import aes, facet_wrap, geom_point, ggplot, labs

    require_columns(frame, [*AXES, "data_origin", label], "embedding_facets")
    if not len(frame):
        raise ValueError(
            "The frame for embedding_facets must have the points of at least one embedding with "
            "two columns. Got no rows instead."
        )
    origins = levels_of(frame["data_origin"], by_appearance=True)
    points = frame[list(AXES)].assign(origin=as_levels(frame["data_origin"], origins))
    mapping, scales, points["label"] = _coloured_by(frame[label], label)
    columns = min(len(origins), 2)
    rows = -(-len(origins) // columns)
    return (
        ggplot(points, aes(*AXES, **mapping))
        + geom_point(**point_style(len(points)))
        + facet_wrap("origin", ncol=columns, scales="free")
        + scales
        + labs(x=AXES[0], y=AXES[1])
        + light_theme(height=1.0 + 3.2 * rows)
    )


def _coloured_by(values: pd.Series, title: str) -> tuple[dict[str, str], list[Any], Any]:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype
    from plotnine import guide_colorbar, guides, scale_color_cmap

    numeric = is_numeric_dtype(values) and not is_bool_dtype(values)
    if numeric and values.nunique() > MOST_NUMERIC_CLASSES:
        # The default bar writes thousands of paths into an SVG, one per shade and pixel row.
        bar = guide_colorbar(display="rectangles", nbin=64)
        return (
            {"color": "label"},
            [
                scale_color_cmap("cividis", name=title),
                guides(color=bar),
            ],
            values,
        )
    levels = levels_of(values)
    scales = level_scales(levels, title)
    return {"color": "label", "shape": "label"}, scales, as_levels(values, levels)
