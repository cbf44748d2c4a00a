"""What a decoder makes of the whole plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from narrows.plots._embedding import AXES
from narrows.plots._images import check_count, images_of, look_of, picture_layer, plane_of
from narrows.plots._theme import DPI, WIDTH, light_theme

if TYPE_CHECKING:
    import numpy as np
    from plotnine import ggplot

FIGURE = "decoded_grid"
PANEL_WIDTH, AXIS = WIDTH - 0.8, 0.6  # inches
# White on each side of a tile, as a share of its longer side.
GAP = 0.04


def decoded_grid(
    decoder: Any,
    Z: Any,
    n: int = 20,
    *,
    shape: Sequence[int] | None = None,
    quantiles: tuple[float, float] = (0.05, 0.95),
    limits: tuple[float, float] | None = None,
    cmap: str | None = None,
) -> ggplot:
    """
    Draw the images that a decoder makes of a grid of points in the plane.

    Parameters
    ----------
    decoder : object with ``inverse_transform``, keras.Model or callable
        A fitted embedder or pipeline, or a function from embeddings of shape (n × n, 2) to rows.
    Z : array-like of shape (n_rows, 2)
        An embedding of rows, which says what part of the plane is looked at.
    n : int, default=20
        Images along each side.
    shape : sequence of int, optional
        Of one image, (height, width) or (height, width, channels): needed for flat rows.
    quantiles : (float, float), default=(0.05, 0.95)
        The grid reaches, along each axis, from one quantile of `Z` to the other.
    limits : (float, float), optional
        The values that are drawn in the first and last colour. By default 0 and 255 for bytes,
        0 and 1 for numbers that lie about there, else the smallest and largest decoded value;
        give those of the original rows if the figures are to be compared.
    cmap : str, optional
        As in `embedding_thumbnails`.

    Returns
    -------
    ggplot
        Every image is centred at the point that it was decoded from.

    Raises
    ------
    ValueError
        If the embedding has not two columns, what is decoded are no images, or a parameter is
        out of range.

    Examples
    --------
    >>> import narrows
    >>> from sklearn.datasets import load_digits
    >>> X = load_digits().data
    >>> pca = narrows.PCA().fit(X)
    >>> figure = narrows.plots.decoded_grid(pca, pca.transform(X), shape=(8, 8), limits=(0, 16))
    """
    import numpy as np
    from plotnine import aes, ggplot, labs, scale_x_continuous, scale_y_continuous, theme

    check_count(n, "n", FIGURE)
    ticks = _ticks(plane_of(Z, FIGURE), n, quantiles)
    x, y = np.meshgrid(ticks[0], ticks[1][::-1])  # the first row of tiles is the uppermost
    decoded = _decode(decoder, np.column_stack([x.ravel(), y.ravel()]).astype(np.float32))
    images = images_of(decoded, FIGURE, shape=shape, name="decoded rows")
    tiles = look_of(images, limits, cmap).draw(images, PANEL_WIDTH / n * DPI)
    (left, right), (bottom, top) = (_ends(positions) for positions in ticks)
    place = {"xmin": [left], "xmax": [right], "ymin": [bottom], "ymax": [top]}
    aspect = images.shape[1] / images.shape[2]
    return (
        ggplot(aes())
        + picture_layer(_mosaic(tiles, n)[np.newaxis], place)
        + scale_x_continuous(limits=(left, right), expand=(0, 0))
        + scale_y_continuous(limits=(bottom, top), expand=(0, 0))
        + labs(x=AXES[0], y=AXES[1])
        + light_theme(height=PANEL_WIDTH * aspect + AXIS)
        + theme(aspect_ratio=aspect)
    )


def _ticks(points: np.ndarray, n: int, quantiles: tuple[float, float]) -> list[np.ndarray]:
    """Return the grid's coordinates along each axis, ascending."""
    import numpy as np

    low, high = quantiles
    if not 0 <= low < high <= 1:
        raise ValueError(
            f"The 'quantiles' parameter of {FIGURE} must be two numbers between 0 and 1, the "
            f"lower one first. Got {quantiles!r} instead."
        )
    ends = np.quantile(points, [low, high], axis=0).T
    return [np.linspace(first, last, n) for first, last in ends]


def _ends(positions: np.ndarray) -> tuple[float, float]:
    """Return where the outermost tiles end, half a step beyond their centres."""
    step = (positions[-1] - positions[0]) / max(len(positions) - 1, 1) or 1.0
    return float(positions[0] - step / 2), float(positions[-1] + step / 2)


def _decode(decoder: Any, points: np.ndarray) -> np.ndarray:
    import numpy as np

    if hasattr(decoder, "inverse_transform"):
        return np.asarray(decoder.inverse_transform(points))
    if callable(decoder):
        return np.asarray(decoder(points))
    raise ValueError(
        f"The 'decoder' parameter of {FIGURE} must have inverse_transform or be callable. "
        f"Got {type(decoder).__name__} instead. Pass a fitted embedder or its decoder_."
    )


def _mosaic(tiles: np.ndarray, n: int) -> np.ndarray:
    """Put n × n tiles, row by row and with white around each, into one picture."""
    import numpy as np

    gap = max(1, round(GAP * max(tiles.shape[1:3])))
    tiles = np.pad(tiles, [(0, 0), (gap, gap), (gap, gap), (0, 0)], constant_values=255)
    _, height, width, channels = tiles.shape
    grid = tiles.reshape(n, n, height, width, channels).swapaxes(1, 2)
    return grid.reshape(n * height, n * width, channels)
