"""An embedding with images at their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from narrows.plots._embedding import AXES, _coloured_by
from narrows.plots._images import (
    check_count,
    images_of,
    look_of,
    picture_layer,
    plane_of,
)
from narrows.plots._levels import BLUE
from narrows.plots._points import point_style
from narrows.plots._theme import DPI, WIDTH, light_theme

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from plotnine import ggplot

FIGURE = "embedding_thumbnails"
PANEL_WIDTH, PANEL_HEIGHT, LEGEND = WIDTH - 0.8, 5.4, 0.9  # inches
# Free room between two thumbnails, as a share of their sides.
GAP = 0.12
# The points are only the ground here; beyond this many they are one image.
MOST_VECTOR_POINTS = 200
UNLABELLED_FRAME = "#9A9A9A"


def embedding_thumbnails(
    Z: Any,
    images: Any,
    label: Any = None,
    *,
    n: int = 200,
    shape: Sequence[int] | None = None,
    size: float = 0.27,
    limits: tuple[float, float] | None = None,
    cmap: str | None = None,
) -> ggplot:
    """
    Draw an embedding's points and, at some of them, the image that the point stands for.

    Rows are gone through in an order that is random but always the same; a row's image is left
    out where it would overlap one that is there already.

    Parameters
    ----------
    Z : array-like of shape (n_rows, 2)
        The embedding.
    images : array-like of shape (n_rows, height, width), with channels or flat
        The rows, with one channel or three.
    label : array-like of shape (n_rows,), optional
        What colours points and frames, as in `embedding_facets`. A Series' name is the title.
    n : int, default=200
        The most images to draw.
    shape : sequence of int, optional
        Of one image, (height, width) or (height, width, channels): needed for flat rows.
    size : float, default=0.27
        The longer side of an image, in inches; the panel is about 6 × 5.
    limits : (float, float), optional
        The values that are drawn in the first and last colour. By default 0 and 255 for bytes,
        0 and 1 for numbers that lie about there, else the smallest and largest value.
    cmap : str, optional
        matplotlib's colour map for images of one channel. By default high values are dark if
        the images' outline is mostly empty, as with handwriting, and light otherwise.

    Returns
    -------
    ggplot

    Raises
    ------
    ValueError
        If the rows are not images, the three do not have the same number of rows, or `n` or
        `size` is out of range.

    Examples
    --------
    >>> import narrows
    >>> from sklearn.datasets import load_digits
    >>> digits = load_digits()
    >>> Z = narrows.PCA().fit_transform(digits.data)
    >>> figure = narrows.plots.embedding_thumbnails(Z, digits.images, digits.target)
    """
    from plotnine import (
        aes,
        geom_point,
        ggplot,
        labs,
        scale_x_continuous,
        scale_y_continuous,
        theme,
    )

    check_count(n, "n", FIGURE)
    points, rows = plane_of(Z, FIGURE), images_of(images, FIGURE, shape=shape)
    frame = _labelled(points, label, len(rows))
    panel = _panel_for(points, rows.shape[1:3], size)
    chosen = apart(points, panel.sides * (1 + GAP), n)
    places = panel.places(points[chosen])
    pictures = look_of(rows, limits, cmap).draw(rows[chosen], size * DPI)
    mapping: dict[str, str] = {}
    scales: list[Any] = []
    colour: dict[str, Any] = {"color": BLUE}
    if label is not None:
        title = str(getattr(label, "name", None) or "label")
        mapping, scales, frame["label"] = _coloured_by(frame["label"], title)
        colour = {}
    style = point_style(len(frame)) | {"size": 1.3, "alpha": 0.45} | colour
    style["raster"] = len(frame) > MOST_VECTOR_POINTS
    return (
        ggplot(frame, aes(*AXES, **mapping))
        + geom_point(**style)
        + picture_layer(pictures, places)
        + _frames(frame.iloc[chosen].assign(**places), labelled=label is not None)
        + scales
        + scale_x_continuous(limits=(panel.low[0], panel.high[0]), expand=(0, 0))
        + scale_y_continuous(limits=(panel.low[1], panel.high[1]), expand=(0, 0))
        + labs(x=AXES[0], y=AXES[1])
        + light_theme(height=PANEL_HEIGHT + LEGEND)
        + theme(aspect_ratio=PANEL_HEIGHT / PANEL_WIDTH)
    )


def apart(points: np.ndarray, sides: np.ndarray, most: int) -> np.ndarray:
    """Choose points around which boxes do not overlap."""
    import numpy as np

    waiting = np.random.Generator(np.random.PCG64(0)).permutation(len(points))
    chosen: list[int] = []
    while len(waiting) and len(chosen) < most:
        first = waiting[0]
        chosen.append(int(first))
        free = (np.abs(points[waiting] - points[first]) >= sides).any(axis=1)
        free[0] = False  # itself
        waiting = waiting[free]
    return np.asarray(chosen, dtype=int)


@dataclass(frozen=True)
class _Panel:
    """A thumbnail's sides and the panel's ends, each of shape (2,), in the embedding's units."""

    sides: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def places(self, centres: np.ndarray) -> dict[str, np.ndarray]:
        """Return the edges of thumbnails around points of shape (n, 2)."""
        (left, bottom), (right, top) = (centres - self.sides / 2).T, (centres + self.sides / 2).T
        return {"xmin": left, "xmax": right, "ymin": bottom, "ymax": top}


def _panel_for(points: np.ndarray, image: tuple[int, ...], size: float) -> _Panel:
    import numpy as np

    if not 0 < size <= min(PANEL_WIDTH, PANEL_HEIGHT) / 2:
        raise ValueError(
            f"The 'size' parameter of {FIGURE} must be a number of inches between 0 and "
            f"{min(PANEL_WIDTH, PANEL_HEIGHT) / 2:g}. Got {size!r} instead."
        )
    height, width = image
    inches = np.array([width, height]) * size / max(image)
    span = np.ptp(points, axis=0)
    span[span == 0] = 1.0
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    # The image at an outermost point, and its frame, still lies inside.
    panel = np.array([PANEL_WIDTH, PANEL_HEIGHT])
    whole = span * panel / (panel - inches * (1 + GAP))
    return _Panel(whole * inches / panel, middle - whole / 2, middle + whole / 2)


def _frames(places: pd.DataFrame, *, labelled: bool) -> Any:
    """Return a layer of outlines, in the colours of the labels if there are any."""
    from plotnine import aes, geom_rect

    mapping = {edge: edge for edge in ("xmin", "xmax", "ymin", "ymax")}
    if labelled:
        mapping["color"] = "label"
    grey = {} if labelled else {"color": UNLABELLED_FRAME}
    return geom_rect(
        aes(**mapping), places, fill="none", size=0.7, inherit_aes=False, show_legend=False, **grey
    )


def _labelled(points: np.ndarray, label: Any, n_images: int) -> pd.DataFrame:
    """Return the points with their labels; raise if there are not as many of each."""
    import pandas as pd

    frame = pd.DataFrame(points, columns=list(AXES))
    counts = {"points": len(points), "images": n_images}
    labels = None if label is None else pd.Series(label).reset_index(drop=True)
    if labels is not None:
        counts["labels"] = len(labels)
    if len(set(counts.values())) > 1:
        found = " and ".join(f"{count} {what}" for what, count in counts.items())
        raise ValueError(
            f"The rows for {FIGURE} must be the same in all arguments. Got {found} instead."
        )
    return frame if labels is None else frame.assign(label=labels)
