"""The look that all figures share: theme, scales and legends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from narrows.plots._levels import CLASS_COLOURS, ROLE_COLOURS, colours_for, shapes_for

if TYPE_CHECKING:
    from plotnine import ggplot, guides, theme

WIDTH, HEIGHT, DPI = 7.0, 4.4, 150
INK, QUIET, GRID = "#222222", "#555555", "#E3E3E3"

# About what fits on one line above a figure WIDTH inches wide, keys included.
LEGEND_CHARACTERS, KEY_CHARACTERS = 78, 6


def light_theme(width: float = WIDTH, height: float = HEIGHT) -> theme:
    """Return the shared theme for a figure of ``width`` × ``height`` inches."""
    from plotnine import (
        element_blank,
        element_line,
        element_rect,
        element_text,
        theme,
        theme_minimal,
    )

    # matplotlib ships DejaVu Sans, so a figure looks the same on every machine; what it lacks
    # (Chinese, Japanese ...) is looked for in the fonts that plotnine lists.
    return theme_minimal(base_size=11, base_family="DejaVu Sans") + theme(
        figure_size=(width, height),
        dpi=DPI,
        plot_background=element_rect(fill="white", color="white"),
        plot_margin=0.015,
        panel_grid_major=element_line(color=GRID, size=0.6),
        panel_grid_minor=element_blank(),
        panel_border=element_rect(fill="none", color="#BDBDBD", size=0.6),
        panel_spacing=0.03,
        axis_text=element_text(size=9.5, color=QUIET),
        axis_title=element_text(size=11, color=INK),
        strip_text=element_text(size=11, color=INK, weight="bold"),
        legend_position="top",
        # At the left, where a narrow screen that scrolls the figure begins.
        legend_justification_top="left",
        legend_text=element_text(size=10.5, color=INK),
        legend_title=element_text(size=10.5, color=QUIET),
        legend_key_spacing_x=10,
    )


def captioned(figure: ggplot, caption: str) -> ggplot:
    """Return a figure with a sentence below it."""
    from plotnine import labs

    return figure + labs(caption=caption) if caption else figure


def level_scales(levels: Sequence[str], title: str) -> list[Any]:
    """
    Return the colour and shape scales of class ``levels``, with one legend for both.

    Map the same categorical column to ``color`` and ``shape``.
    """
    from plotnine import scale_color_manual, scale_shape_manual

    return [
        scale_color_manual(values=colours_for(levels, CLASS_COLOURS), name=title),
        scale_shape_manual(values=shapes_for(levels), name=title),
        _one_legend(("color", "shape"), legend_columns(levels, title)),
    ]


def role_scales(levels: Sequence[str], title: str) -> list[Any]:
    """
    Return the scales of roles such as original and reconstructed: the first one is hollow.

    Map the same categorical column to ``color``, ``fill`` and ``shape``.
    """
    from plotnine import scale_color_manual, scale_fill_manual, scale_shape_manual

    colours = colours_for(levels, ROLE_COLOURS)
    return [
        scale_color_manual(values=colours, name=title),
        scale_fill_manual(values=colours | {levels[0]: "none"}, name=title),
        scale_shape_manual(values=shapes_for(levels), name=title),
        _one_legend(("color", "fill", "shape"), legend_columns(levels, title)),
    ]


def legend_columns(levels: Sequence[str], title: str) -> int:
    """Return how many keys fit side by side above the figure."""
    widest = max((len(level) for level in levels), default=1) + KEY_CHARACTERS
    return max(1, min(len(levels), (LEGEND_CHARACTERS - len(title)) // widest))


def _one_legend(aesthetics: Sequence[str], columns: int) -> guides:
    from plotnine import guide_legend, guides

    # plotnine merges the guides and takes the look of the keys from the first alone.
    first = guide_legend(ncol=columns, override_aes={"alpha": 1, "size": 3})
    rest = {name: guide_legend(ncol=columns) for name in aesthetics[1:]}
    return guides(**{aesthetics[0]: first, **rest})
