"""
Frames to plotnine figures, one file a figure.

Every function takes tidy frames and returns a `ggplot`, which can still be changed; nothing is
drawn before it is saved or shown. plotnine is imported when the first figure is built.
"""

from narrows.plots._embedding import embedding_facets, embedding_overlay
from narrows.plots._history import history
from narrows.plots._intervals import intervals
from narrows.plots._reconstruction import reconstruction
from narrows.plots._save import figure_svg, save_figure
from narrows.plots._scores import scores

__all__ = [
    "embedding_facets",
    "embedding_overlay",
    "figure_svg",
    "history",
    "intervals",
    "reconstruction",
    "save_figure",
    "scores",
]
