"""Networks that start at PCA: a linear map plus a curved one whose last layer starts at zero."""

from collections.abc import Sequence
from typing import Any

from narrows._keras import keras
from narrows.networks._build import Networks, build_networks

# The layers of either part that do not stand for themselves.
LINEAR = {"encoder": "encoder_linear", "decoder": "decoder_linear"}
CURVED = {"encoder": "encoder_curved", "decoder": "decoder_curved"}


def build_residual(
    row_shape: tuple[int, ...],
    bottleneck: int,
    encoder: Sequence[int],
    decoder: Sequence[int] | None = None,
    *,
    activation: str = "silu",
) -> Networks:
    """Build an encoder ``A x + g(x)`` and a decoder ``B z + h(z)``.

    g and h have hidden layers and end in a dense layer that starts at zero, so that the networks
    start as the linear maps A and B, which a training sets (He and others 2016,
    arXiv:1603.05027, on identity paths; Zhang and others 2019, arXiv:1901.09321, on last layers
    that start at zero).

    Parameters
    ----------
    row_shape : tuple of int
    bottleneck : int
    encoder : sequence of int
        Widths of the hidden layers of g; without any, the encoder is linear.
    decoder : sequence of int, optional
        The same of h. By default those of g, mirrored.
    activation : str
        Of the hidden layers, as Keras names it.

    Returns
    -------
    Networks
    """

    def part(name: str, x: Any, widths: Sequence[int], size: int, last: str) -> Any:
        linear = keras.layers.Dense(size, name=LINEAR[name] if widths else last)(x)
        if not widths:
            return linear
        for number, width in enumerate(widths, 1):
            x = keras.layers.Dense(
                int(width), activation, kernel_initializer="he_normal", name=f"{name}_{number}"
            )(x)
        curved = keras.layers.Dense(
            size, use_bias=False, kernel_initializer="zeros", name=CURVED[name]
        )(x)
        return keras.layers.Add(name=last)([linear, curved])

    inner = tuple(encoder)
    outer = inner[::-1] if decoder is None else tuple(decoder)
    return build_networks(
        row_shape,
        bottleneck,
        lambda x: part("encoder", x, inner, int(bottleneck), "bottleneck"),
        lambda z: part("decoder", z, outer, int(row_shape[0]), "reconstruction"),
    )
