"""
Frames to plotnine figures, one file a figure.

Every function takes tidy frames, or arrays where rows are images, and returns a `ggplot`, which
can still be changed; nothing is drawn before it is saved or shown. plotnine is imported when the
first figure is built.
"""

from narrows.plots._decoded_grid import decoded_grid
from narrows.plots._embedding import embedding_facets, embedding_overlay
from narrows.plots._history import history, tidy_history
from narrows.plots._intervals import intervals
from narrows.plots._levels import (
    CLASS_COLOURS,
    MISSING_COLOUR,
    as_levels,
    colours_for,
    levels_of,
    shapes_for,
)
from narrows.plots._reconstruction import reconstruction
from narrows.plots._reconstruction_images import reconstruction_images
from narrows.plots._save import figure_svg, save_figure
from narrows.plots._scores import scores
from narrows.plots._theme import captioned
from narrows.plots._thumbnails import embedding_thumbnails
from narrows.plots._tuning import candidates, front, held_out_curve, widths

# The public names; what else is imported above is for the house's other packages.
__all__ = [
    "candidates",
    "decoded_grid",
    "embedding_facets",
    "embedding_overlay",
    "embedding_thumbnails",
    "figure_svg",
    "front",
    "held_out_curve",
    "history",
    "intervals",
    "reconstruction",
    "reconstruction_images",
    "save_figure",
    "scores",
    "widths",
]
