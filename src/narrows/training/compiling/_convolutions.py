"""Convolutions as patches times a matrix, for training on a CPU.

XLA on the CPU runs a convolution inside a compiled loop many times slower than outside of one (JAX
issue 12868; ``benchmarks/kernels.py``), and one with a kernel for each lane slower still. Here the
patches under the kernel are laid side by side by slicing, and one matrix product does the rest.
"""

import itertools
from typing import Any

import jax
import jax.numpy as jnp

from narrows._keras import keras
from narrows.training.compiling._layers import matrix_product


def convolve(
    x: jax.Array,
    kernel: jax.Array,
    strides: tuple[int, ...],
    padding: str,
    dilation: tuple[int, ...],
) -> jax.Array:
    """Convolve, channels last, as ``keras.ops.conv``.

    Shapes: `x` (batch, *space, channels), `kernel` (*window, channels / groups, filters), (batch,
    *new_space, filters) returned.
    """
    groups = x.shape[-1] // kernel.shape[-2]
    if groups == 1:
        return _convolve(x, kernel, strides, padding, dilation)
    inputs = jnp.split(x, groups, axis=-1)
    kernels = jnp.split(kernel, groups, axis=-1)
    parts = [
        _convolve(part, own, strides, padding, dilation)
        for part, own in zip(inputs, kernels, strict=True)
    ]
    return jnp.concatenate(parts, axis=-1)


def _convolve(
    x: jax.Array,
    kernel: jax.Array,
    strides: tuple[int, ...],
    padding: str,
    dilation: tuple[int, ...],
) -> jax.Array:
    patches = _patches(x, kernel.shape[:-2], strides, padding, dilation)
    rows = patches.reshape(-1, patches.shape[-1])
    product = matrix_product(rows, kernel.reshape(-1, kernel.shape[-1]))
    return product.reshape(*patches.shape[:-1], kernel.shape[-1])


def _patches(
    x: jax.Array,
    window: tuple[int, ...],
    strides: tuple[int, ...],
    padding: str,
    dilation: tuple[int, ...],
) -> jax.Array:
    """Lay what the kernel sees at each place side by side.

    Shapes: (batch, *new_space, prod(window) returned.
    """
    space = x.shape[1:-1]
    reach = [(size - 1) * step + 1 for size, step in zip(window, dilation, strict=True)]
    if padding == "same":
        pads = [_same(*one) for one in zip(space, reach, strides, strict=True)]
        x = jnp.pad(x, [(0, 0), *pads, (0, 0)])
        space = x.shape[1:-1]
    places = [(n - r) // s + 1 for n, r, s in zip(space, reach, strides, strict=True)]
    pieces = []
    for offset in itertools.product(*(range(size) for size in window)):
        starts = [position * step for position, step in zip(offset, dilation, strict=True)]
        ends = [
            start + (count - 1) * stride + 1
            for start, count, stride in zip(starts, places, strides, strict=True)
        ]
        pieces.append(
            jax.lax.slice(x, (0, *starts, 0), (len(x), *ends, x.shape[-1]), (1, *strides, 1))
        )
    return jnp.concatenate(pieces, axis=-1)


def _same(length: int, reach: int, stride: int) -> tuple[int, int]:
    """Padding before and after, so that the output has ceil(length / stride) places."""
    total = max((-(-length // stride) - 1) * stride + reach - length, 0)
    return total // 2, total - total // 2


def convolve_transposed(
    x: jax.Array, kernel: jax.Array, strides: tuple[int, ...], padding: str
) -> jax.Array:
    """Apply the transpose of a convolution, as ``keras.ops.conv_transpose`` without dilation.

    It is the gradient of `convolve` with respect to its input, which is what a transposed
    convolution is named after (Dumoulin and Visin 2016, arXiv:1603.07285, section 4).

    Shapes: `x` (batch, *space, channels), `kernel` (*window, filters, channels), (batch,
    *new_space, filters) returned.
    """
    window = kernel.shape[:-2]
    extra = [
        0 if padding == "same" else max(w - s, 0) for w, s in zip(window, strides, strict=True)
    ]
    space = [n * s + e for n, s, e in zip(x.shape[1:-1], strides, extra, strict=True)]
    ones = (1,) * len(window)

    def forward(y: jax.Array) -> jax.Array:
        return convolve(y, kernel, strides, padding, ones)

    _, pull_back = jax.vjp(forward, jnp.zeros((len(x), *space, kernel.shape[-2]), x.dtype))
    return pull_back(x)[0]


def _finish(layer: keras.layers.Layer, outputs: jax.Array) -> jax.Array:
    """Add bias and activation, as every Keras convolution does."""
    if layer.use_bias:
        outputs = outputs + keras.ops.convert_to_tensor(layer.bias)
    return outputs if layer.activation is None else layer.activation(outputs)


class _Convolution(keras.layers.Layer):
    """Mixed into Keras's convolutions."""

    def call(self, inputs: jax.Array) -> jax.Array:
        if self.data_format != "channels_last":
            return super().call(inputs)
        padding = self.padding
        if padding == "causal":
            before = self.dilation_rate[0] * (self.kernel_size[0] - 1)
            inputs, padding = jnp.pad(inputs, [(0, 0), (before, 0), (0, 0)]), "valid"
        kernel = keras.ops.convert_to_tensor(self.kernel)
        return _finish(self, convolve(inputs, kernel, self.strides, padding, self.dilation_rate))


class _Transposed(keras.layers.Layer):
    """Mixed into Keras's transposed convolutions."""

    def call(self, inputs: jax.Array) -> jax.Array:
        plain = self.output_padding is None and set(_tuple(self.dilation_rate)) == {1}
        if self.data_format != "channels_last" or not plain:
            return super().call(inputs)
        kernel = keras.ops.convert_to_tensor(self.kernel)
        return _finish(self, convolve_transposed(inputs, kernel, self.strides, self.padding))


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


EXCHANGED = {
    kind: type(kind.__name__, (mixed, kind), {"__module__": __name__})
    for mixed, kinds in (
        (_Convolution, (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)),
        (
            _Transposed,
            (
                keras.layers.Conv1DTranspose,
                keras.layers.Conv2DTranspose,
                keras.layers.Conv3DTranspose,
            ),
        ),
    )
    for kind in kinds
}
