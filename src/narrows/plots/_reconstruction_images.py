"""Images above their reconstructions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from narrows.plots._images import check_count, images_of, look_of, picture_layer
from narrows.plots._theme import DPI, INK, WIDTH, light_theme

if TYPE_CHECKING:
    import numpy as np
    from plotnine import ggplot

FIGURE = "reconstruction_images"
# Inches: what one character of a row's name takes, and room around the panel.
CHARACTER, MARGIN = 0.085, 0.35
# Between two images, as a share of the distance from one to the next.
GAP = 0.1


def reconstruction_images(
    images: Any,
    reconstructions: Any,
    n: int = 10,
    *,
    noisy: Any = None,
    shape: Sequence[int] | None = None,
    limits: tuple[float, float] | None = None,
    cmap: str | None = None,
) -> ggplot:
    """
    Draw images and, below each, its reconstruction.

    Parameters
    ----------
    images : array-like of shape (n_rows, height, width), with channels or flat
        The original rows, with one channel or three.
    reconstructions : array-like of the same shape, or mapping of str to such
        Their reconstruction. A mapping gives one line of images per entry, under its name.
    n : int, default=10
        The first `n` rows are drawn; index all arguments to choose others.
    noisy : array-like of the same shape, optional
        What a denoising embedder saw: drawn between the two.
    shape : sequence of int, optional
        Of one image, (height, width) or (height, width, channels): needed for flat rows.
    limits, cmap : optional
        As in `embedding_thumbnails`; by default they suit the originals and hold for all.

    Returns
    -------
    ggplot

    Raises
    ------
    ValueError
        If the rows are not images, or not all of the same shape.

    Examples
    --------
    >>> import narrows
    >>> from sklearn.datasets import load_digits
    >>> X = load_digits().data
    >>> pca = narrows.PCA(16).fit(X)
    >>> back = pca.inverse_transform(pca.transform(X))
    >>> figure = narrows.plots.reconstruction_images(X, back, shape=(8, 8))
    """
    import numpy as np
    from plotnine import aes, ggplot, labs, scale_x_continuous, scale_y_continuous

    check_count(n, "n", FIGURE)
    lines = _lines(images, noisy, reconstructions, shape)
    originals = lines["original"]
    count = min(n, len(originals))
    panel_width = WIDTH - MARGIN - CHARACTER * max(map(len, lines))
    shown = np.concatenate([rows[:count] for rows in lines.values()])
    pictures = look_of(originals, limits, cmap).draw(shown, panel_width / count * DPI)
    # One unit is the distance from an image to the one beside it.
    height = originals.shape[1] / originals.shape[2] * (1 - GAP)
    left = np.tile(np.arange(count), len(lines))
    tops = -np.arange(len(lines)) * (height + GAP)
    top = np.repeat(tops, count)
    places = {"xmin": left, "xmax": left + 1 - GAP, "ymin": top - height, "ymax": top}
    right, bottom = count - GAP, tops[-1] - height
    return (
        ggplot(aes())
        + picture_layer(pictures, places)
        + scale_x_continuous(limits=(0, right), expand=(0, 0), breaks=[])
        + scale_y_continuous(
            limits=(bottom, 0), expand=(0, 0), breaks=list(tops - height / 2), labels=list(lines)
        )
        + labs(x="", y="")
        + light_theme(height=panel_width * -bottom / right + MARGIN)
        + _bare(-bottom / right)
    )


def _bare(aspect: float) -> Any:
    """Return a theme that leaves nothing around the images but the lines' names."""
    from plotnine import element_blank, element_text, theme

    return theme(
        aspect_ratio=aspect,
        panel_border=element_blank(),
        panel_grid=element_blank(),
        axis_text_y=element_text(size=10.5, color=INK, ha="right"),
    )


def _lines(
    images: Any, noisy: Any, reconstructions: Any, shape: Sequence[int] | None
) -> dict[str, np.ndarray]:
    """Return the lines of images from top to bottom, by their names."""
    lines = {"original": images}
    if noisy is not None:
        lines["noisy input"] = noisy
    if not isinstance(reconstructions, Mapping):
        reconstructions = {"reconstruction": reconstructions}
    twice = set(lines) & set(map(str, reconstructions))
    if twice or not reconstructions:
        raise ValueError(
            f"The reconstructions for {FIGURE} must have names of their own. Got "
            f"{sorted(twice) or 'none'} instead."
        )
    lines |= {str(name): rows for name, rows in reconstructions.items()}
    found: dict[str, np.ndarray] = {}
    for name, rows in lines.items():
        found[name] = images_of(rows, FIGURE, shape=shape, name=f"rows {name!r}")
        if found[name].shape != found["original"].shape:
            raise ValueError(
                f"The rows {name!r} for {FIGURE} must have the originals' shape, "
                f"{found['original'].shape}. Got {found[name].shape} instead."
            )
    return found
