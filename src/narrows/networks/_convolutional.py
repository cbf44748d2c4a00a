"""Strided convolutions from an image to the bottleneck, and transposed ones back."""

import math
import numbers
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from narrows._keras import keras

STRIDE = 2
OUTPUTS = ("linear", "sigmoid")


@dataclass(frozen=True)
class _Settings:
    """What encoder and decoder agree on; plain values, so that either can be copied and pickled."""

    shape: tuple[int, ...]
    filters: tuple[int, ...]
    bottleneck: int
    kernel: int
    widths: tuple[int, ...]
    activation: str
    output: str
    flat: bool

    @property
    def sizes(self) -> list[tuple[int, int, int]]:
        """Height, width and channels of the image and of what each convolution makes of it."""
        height, width, channels = (*self.shape, 1)[:3]
        found = [(height, width, channels)]
        for count in self.filters:
            height, width = -(-height // STRIDE), -(-width // STRIDE)
            found.append((height, width, count))
        return found

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of one row of the data."""
        return (math.prod(self.shape),) if self.flat else self.shape


class ConvolutionalEncoder(_Settings):
    """Rows of images to the bottleneck, as a function of a Keras tensor."""

    def __call__(self, x):
        """Put the encoder's layers on a tensor of shape (None, *row_shape)."""
        layers = keras.layers
        image, *_ = self.sizes
        if tuple(x.shape[1:]) != self.row_shape:
            raise ValueError(
                f"The rows must have the shape {self.row_shape} that convolutional was made for. "
                f"Got {tuple(x.shape[1:])} instead. Reshape the rows with "
                f"X.reshape({(-1, *self.row_shape)}), or call convolutional with the rows' own "
                "shape; for images in flat rows, with flat=True."
            )
        if self.row_shape != image:
            x = layers.Reshape(image, name="image")(x)
        for number, count in enumerate(self.filters, 1):
            x = layers.Conv2D(
                count, self.kernel, strides=STRIDE, padding="same",
                activation=self.activation, name=f"convolution_{number}",
            )(x)  # fmt: skip
        x = layers.Flatten(name="flatten")(x)
        for number, width in enumerate(self.widths, 1):
            x = layers.Dense(width, activation=self.activation, name=f"encoder_{number}")(x)
        return layers.Dense(self.bottleneck, name="bottleneck")(x)


class ConvolutionalDecoder(_Settings):
    """The bottleneck to rows of images, as a function of a Keras tensor."""

    def __call__(self, z):
        """Put the decoder's layers on a tensor of shape (None, bottleneck)."""
        layers = keras.layers
        sizes = self.sizes[::-1]
        smallest, image = sizes[0], sizes[-1]
        dense = (*self.widths[::-1], math.prod(smallest))
        for number, width in enumerate(dense, 1):
            z = layers.Dense(width, activation=self.activation, name=f"decoder_{number}")(z)
        z = layers.Reshape(smallest, name="feature_maps")(z)
        for number, (height, width, count) in enumerate(sizes[1:], 1):
            last = number == len(self.filters)
            z = layers.Conv2DTranspose(
                count, self.kernel, strides=STRIDE, padding="same",
                activation=self.output if last else self.activation,
                name="reconstruction" if last else f"transposed_{number}",
            )(z)  # fmt: skip
            z = self._cropped(z, height, width, f"crop_{number}")
        return z if self.row_shape == image else layers.Reshape(self.row_shape, name="rows")(z)

    def _cropped(self, z, height: int, width: int, name: str):
        """Take away the row or column that doubling an odd size's half makes too many.

        It is cut off where the convolution has its padding, so that the layer stays the transpose
        of the convolution on the odd size.
        """
        surplus = z.shape[1] - height, z.shape[2] - width
        if surplus == (0, 0):
            return z
        first = self.kernel % 2 == 1
        cuts = tuple((extra, 0) if first else (0, extra) for extra in surplus)
        return keras.layers.Cropping2D(cuts, name=name)(z)


class ConvolutionalNetworks(NamedTuple):
    """An encoder and a decoder for `Autoencoder`, in this order."""

    encoder: ConvolutionalEncoder
    decoder: ConvolutionalDecoder


def convolutional(
    shape: Sequence[int],
    filters: Sequence[int] = (32, 64),
    *,
    bottleneck: int = 2,
    kernel: int = 3,
    widths: Sequence[int] = (256, 64),
    activation: str = "relu",
    output: str = "linear",
    flat: bool = False,
) -> ConvolutionalNetworks:
    """Make a convolutional encoder and decoder for images of one shape.

    Each convolution halves height and width (rounded up) by its strides; dense layers lead to
    the bottleneck. The decoder is the mirror image with transposed convolutions (Dumoulin and
    Visin 2016), so that every size, odd ones too, comes back exactly. No layer works at full
    resolution with many filters, which is what makes training on a CPU bearable.

    Parameters
    ----------
    shape : sequence of int
        The shape of one row: (height, width, channels), or (height, width) if the images have
        no axis for channels.
    filters : sequence of int, default=(32, 64)
        Filters of the encoder's convolutions, one entry each; the decoder has them in reverse.
    bottleneck : int, default=2
        Width of the embedding; the same as the `bottleneck` of `Autoencoder`.
    kernel : int, default=3
        Height and width of the kernels.
    widths : sequence of int, default=(256, 64)
        Widths of dense layers between the convolutions and the bottleneck.
    activation : str, default="relu"
        Name of Keras's activation of all layers but the bottleneck and the last.
    output : {"linear", "sigmoid"}, default="linear"
        Activation of the last layer; "sigmoid" for pixels from 0 to 1, and for losses such as
        ``"binary_crossentropy"`` that need them there.
    flat : bool, default=False
        Whether rows are flat, of shape (prod(shape),), as other embedders take them, rather than
        of shape `shape`.

    Returns
    -------
    encoder, decoder : callable
        A named pair of functions of a Keras tensor, for the parameters of `Autoencoder` with
        these names. Both can be cloned and pickled, and their layers have fixed names.

    Raises
    ------
    ValueError
        If a parameter is not of its kind, or an image is a single pixel before the last
        convolution.

    References
    ----------
    Dumoulin, V., and Visin, F. (2016). A guide to convolution arithmetic for deep learning.
    arXiv:1603.07285

    Examples
    --------
    >>> import narrows
    >>> from sklearn.datasets import load_digits
    >>> images = load_digits().images / 16
    >>> encoder, decoder = narrows.networks.convolutional((8, 8), filters=(8, 16))
    >>> embedder = narrows.Autoencoder(encoder=encoder, decoder=decoder, epochs=1, random_state=0)
    >>> Z = embedder.fit_transform(images)
    >>> Z.shape, embedder.inverse_transform(Z).shape
    ((1797, 2), (1797, 8, 8))
    """
    shape = _integers("shape", shape)
    if len(shape) not in (2, 3):
        _fail("shape", "(height, width) or (height, width, channels)", shape)
    filters = _integers("filters", filters)
    if not filters:
        _fail("filters", "a sequence of at least one int", filters, "For none, give Autoencoder "
              "widths alone.")  # fmt: skip
    if output not in OUTPUTS:
        _fail("output", " or ".join(map(repr, OUTPUTS)), output)
    if not isinstance(flat, bool):
        _fail("flat", "a bool", flat)
    settings: dict[str, Any] = {
        "shape": shape,
        "filters": filters,
        "bottleneck": _integer("bottleneck", bottleneck),
        "kernel": _integer("kernel", kernel, least=STRIDE),
        "widths": _integers("widths", widths),
        "activation": _activation(activation),
        "output": output,
        "flat": flat,
    }
    networks = ConvolutionalNetworks(
        ConvolutionalEncoder(**settings), ConvolutionalDecoder(**settings)
    )
    _check_depth(networks.encoder)
    return networks


def _check_depth(settings: _Settings) -> None:
    """Refuse convolutions that find nothing left to halve."""
    sizes = settings.sizes
    for number, (height, width, _) in enumerate(sizes[:-1]):
        if (height, width) == (1, 1):
            before = f"{sizes[0][0]} × {sizes[0][1]}"
            _fail(
                "filters", f"a sequence of at most {number} ints for images of {before} pixels, "
                "which each convolution halves", settings.filters,
            )  # fmt: skip


def _integer(name: str, value, least: int = 1) -> int:
    wanted = f"an int in the range [{least}, inf)"
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < least:
        _fail(name, wanted, value)
    return int(value)


def _integers(name: str, values) -> tuple[int, ...]:
    wanted = "a sequence of ints in the range [1, inf)"
    try:
        found = tuple(values)
    except TypeError:
        _fail(name, wanted, values)
    for value in found:
        if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < 1:
            _fail(name, wanted, values)
    return tuple(int(value) for value in found)


def _activation(name: Any) -> str:
    wanted = "the name of a function in keras.activations"
    if not isinstance(name, str):
        _fail("activation", wanted, name)
    try:
        keras.activations.get(name)
    except ValueError:
        _fail("activation", wanted, name)
    return name


def _fail(name: str, wanted: str, value, advice: str = "") -> NoReturn:
    raise ValueError(
        f"The {name!r} parameter of convolutional must be {wanted}. Got {value!r} instead."
        + (f" {advice}" if advice else "")
    )
