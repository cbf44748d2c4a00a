"""From a plotnine figure to PNG and SVG, the same bytes every time."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from narrows._files import at_home, replace_file
from narrows._session import usual_numbers
from narrows.plots._theme import DPI

if TYPE_CHECKING:
    from plotnine import ggplot

# Without a salt matplotlib's SVG ids are random; a "$" in a column's name is not mathematics.
SETTINGS: dict[Any, Any] = {
    "svg.hashsalt": "narrows",
    "svg.fonttype": "path",
    "text.parse_math": False,
}
METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
}


@usual_numbers()
def save_figure(figure: ggplot, folder: str | os.PathLike[str], name: str) -> list[Path]:
    """
    Write a figure as PNG and as SVG.

    Parameters
    ----------
    figure : ggplot
        Any figure of this package.
    folder : path-like
        Where to; it is made if it does not exist.
    name : str
        The files' name without an ending.

    Returns
    -------
    list of Path
        The PNG (150 dpi), then the SVG (text as paths, so it needs no font).

    Raises
    ------
    OSError
        If a file cannot be written; older files of that name are then intact.
    """
    pictures = _pictures(figure, ("png", "svg"))
    folder = at_home(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return [replace_file(folder / f"{name}.{kind}", data) for kind, data in pictures.items()]


@usual_numbers()
def figure_svg(figure: ggplot) -> str:
    """
    Return a figure as SVG text, the same as `save_figure` writes.

    Parameters
    ----------
    figure : ggplot
        Any figure of this package.

    Returns
    -------
    str
        A whole SVG document. Its ids are unique within it, not across figures.
    """
    return _pictures(figure, ("svg",))["svg"].decode("utf-8")


def _pictures(figure: ggplot, kinds: tuple[str, ...]) -> dict[str, bytes]:
    import matplotlib

    pictures = {}
    for kind in kinds:
        # Drawn afresh for each format: plotnine's layout depends on the renderer's resolution.
        with matplotlib.rc_context({**figure.theme.rcParams, **SETTINGS}):
            drawn = _off_screen(figure).draw()
            buffer = BytesIO()
            drawn.savefig(buffer, format=kind, dpi=DPI, metadata=METADATA[kind])
        pictures[kind] = buffer.getvalue()
    return pictures


def _off_screen(figure: ggplot) -> ggplot:
    """Return a copy that draws without pyplot, hence without a window or a backend."""
    from copy import deepcopy

    from matplotlib.figure import Figure
    from plotnine import ggplot
    from plotnine._mpl.gridspec import p9GridSpec

    class OffScreen(ggplot):
        def _create_figure(self) -> None:
            self.figure = Figure()
            self._gridspec = p9GridSpec(1, 1, self.figure)

    copy = deepcopy(figure)
    copy.__class__ = OffScreen
    return copy
