"""Figures of plotnine in the gallery: what a block ends with is drawn, as in a notebook."""

from plotnine import ggplot
from sphinx_gallery.scrapers import figure_rst

_NAME = "_drawn"  # in an example's namespace: the figure that has its image already


def scraper(block, block_vars, gallery_conf) -> str:
    """Save the figure that a block's last expression is, and return the image's markup."""
    namespace = block_vars["example_globals"]
    figure = namespace.get("___")
    if not isinstance(figure, ggplot) or figure is namespace.get(_NAME):
        return ""
    namespace[_NAME] = figure
    path = block_vars["image_path_iterator"].next()
    figure.save(path, verbose=False)
    return figure_rst([path], gallery_conf["src_dir"])
