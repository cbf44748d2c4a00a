"""Rows as pictures, and a plotnine layer that draws pictures in data coordinates."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from plotnine.geoms.geom import geom

EDGES = ("xmin", "xmax", "ymin", "ymax")
DARK_INK, LIGHT_INK = "gray_r", "gray"
# An outline whose median is within this share of the range from the low end is empty ground.
EMPTY = 0.15
# Decoders and PCA go somewhat beyond the values that they learned from.
BEYOND = 0.25


@dataclass(frozen=True)
class Look:
    """
    How numbers become colours, the same for all pictures of a figure.

    Attributes
    ----------
    low, high : float
        The values drawn in the first and the last colour; values beyond are drawn like these.
    cmap : str
        Name of matplotlib's colour map for images of one channel.
    """

    low: float
    high: float
    cmap: str

    def draw(self, images: np.ndarray, most: float) -> np.ndarray:
        """Return images as colours, made smaller where nobody would see the difference."""
        import numpy as np
        from matplotlib import colormaps
        from PIL import Image

        shares = np.clip((images - self.low) / ((self.high - self.low) or 1.0), 0.0, 1.0)
        if shares.ndim == 3:
            colours = colormaps[self.cmap](shares, bytes=True)[..., :3]
        else:
            colours = np.rint(shares * 255).astype(np.uint8)
        factor = int(max(colours.shape[1:3]) // max(most, 1))
        if factor < 2:
            return np.ascontiguousarray(colours)
        return np.stack([np.asarray(Image.fromarray(one).reduce(factor)) for one in colours])


def look_of(images: np.ndarray, limits: tuple[float, float] | None, cmap: str | None) -> Look:
    """Return the look that a caller asked for, or one that suits the images."""
    import numpy as np
    from matplotlib import colormaps

    low, high = _limits(images) if limits is None else _checked(limits)
    if cmap is None:
        outline = [images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]]
        middle = np.median(np.concatenate([edge.ravel() for edge in outline]))
        cmap = DARK_INK if middle <= low + EMPTY * (high - low) else LIGHT_INK
    elif cmap not in colormaps:
        raise ValueError(
            f"The 'cmap' of a figure must be the name of one of matplotlib's colour maps. Got "
            f"{cmap!r} instead. Try 'gray', 'gray_r' or 'viridis'."
        )
    return Look(low, high, cmap)


def _limits(images: np.ndarray) -> tuple[float, float]:
    import numpy as np

    if images.dtype == np.uint8:
        return 0.0, 255.0
    least, low, high, most = (float(q) for q in np.quantile(images, [0, 0.05, 0.95, 1]))
    about_one = low >= -BEYOND and high <= 1 + BEYOND and most > BEYOND and least < 1 - BEYOND
    return (0.0, 1.0) if about_one else (least, most)


def _checked(limits: tuple[float, float]) -> tuple[float, float]:
    low, high = limits
    if not low < high:
        raise ValueError(
            f"The 'limits' of a figure must be two numbers, the lower one first. Got {limits!r} "
            "instead."
        )
    return float(low), float(high)


def images_of(
    rows: Any, figure: str, *, shape: Sequence[int] | None = None, name: str = "images"
) -> np.ndarray:
    """Return rows as images."""
    import numpy as np

    images = np.asarray(rows)
    if images.dtype.kind not in "fiub" or not np.isfinite(images).all():
        raise ValueError(
            f"The {name} for {figure} must be finite numbers. Got an array of {images.dtype} with "
            "others instead."
        )
    if images.dtype == bool:
        images = images.astype(np.float32)
    if shape is not None and images.ndim > 1:
        wanted = tuple(int(length) for length in shape)
        if images[0].size != np.prod(wanted):
            raise ValueError(
                f"The {name} for {figure} must have {np.prod(wanted)} values each, by the 'shape' "
                f"{wanted}. Got an array of shape {images.shape} instead."
            )
        images = images.reshape(len(images), *wanted)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    grey, colour = images.ndim == 3, images.ndim == 4 and images.shape[-1] == 3
    if 0 in images.shape or not (grey or colour):
        advice = " Flat rows need 'shape', that of one image." if images.ndim == 2 else ""
        raise ValueError(
            f"The {name} for {figure} must have shape (n, height, width) or (n, height, width, "
            f"channels), with one channel or three. Got {images.shape} instead.{advice}"
        )
    return images


def plane_of(Z: Any, figure: str) -> np.ndarray:
    """Return an embedding as a float array of shape (n, 2); raise if it is none of a plane."""
    import numpy as np

    points = np.asarray(Z, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(
            f"The embedding for {figure} must have shape (n, 2). Got {points.shape} instead."
        )
    if not np.isfinite(points).all():
        raise ValueError(
            f"The embedding for {figure} must be finite. Got {np.sum(~np.isfinite(points))} NaN or "
            "infinite values instead."
        )
    return points


def check_count(value: Any, name: str, figure: str) -> None:
    """Raise ValueError unless a parameter is a positive integer."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(
            f"The {name!r} parameter of {figure} must be an int in the range [1, inf). Got "
            f"{value!r} instead."
        )


def picture_layer(pictures: np.ndarray, places: dict[str, Any]) -> geom:
    """Return a layer that draws each picture in its place, first to last."""
    import pandas as pd
    from plotnine import aes

    frame = pd.DataFrame({edge: places[edge] for edge in EDGES})
    mapping = aes(**{edge: edge for edge in EDGES})
    return _picture_geom()(mapping, frame, pictures=pictures, inherit_aes=False, show_legend=False)


@cache
def _picture_geom() -> Callable[..., geom]:
    """Make what plotnine lacks, ggplot2's ``annotation_raster``; once, as it registers names."""
    from matplotlib.image import AxesImage
    from plotnine.geoms.geom import geom

    class Picture(AxesImage):
        """An image that a vector file holds pixel by pixel, while a bitmap resamples it."""

        def can_composite(self) -> bool:
            return False

        def _check_unsampled_image(self) -> bool:
            return True

    class geom_picture(geom):  # noqa: N801 (plotnine names geoms so)
        """Pictures, in the order of the data's rows, in a plot without facets."""

        REQUIRED_AES: set[str] = set(EDGES)  # noqa: RUF012
        DEFAULT_PARAMS: dict[str, Any] = {  # noqa: RUF012
            "stat": "identity", "position": "identity", "na_rm": False, "pictures": (),
        }  # fmt: skip

        def draw_panel(self, data, panel_params, coord, ax) -> None:
            data = coord.transform(data, panel_params)
            places = data[list(EDGES)].to_numpy(float)
            for pixels, extent in zip(self.params["pictures"], places, strict=True):
                image = Picture(
                    ax, origin="upper", extent=tuple(extent), zorder=self.params["zorder"]
                )
                image.set_data(pixels)
                ax.add_image(image)

    return geom_picture
