"""Keras layers as a compiled training wants them: the same function, computed another way."""

import jax
import jax.numpy as jnp

from narrows._keras import keras
from narrows.networks import Sampling as PlainSampling
from narrows.training.compiling._trace import current_trace
from narrows.training.looping import _random


class Dropout(keras.layers.Dropout):
    """Keras's inverted dropout with masks from `_random`, and the lane's rate for its place."""

    _place: int | None = None  # none for rates that draw nothing

    def call(self, inputs: jax.Array, training: bool = False) -> jax.Array:
        """Drop inputs; shapes as in Keras."""
        trace = current_trace()
        if trace is None or not training or self._place is None:
            return super().call(inputs, training=training)
        shape = tuple(inputs.shape)
        if self.noise_shape is not None:
            pairs = zip(self.noise_shape, shape, strict=True)
            shape = tuple(n if s is None else s for s, n in pairs)
        dropped, scale = trace.dropout[0][self._place], trace.dropout[1][self._place]
        keep = _random.keep_mask(trace.key, trace.step, trace.next_site(), shape, dropped)
        return jnp.where(keep, inputs * scale.astype(inputs.dtype), jnp.zeros((), inputs.dtype))


class BatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization whose batch statistics leave out padding rows."""

    def call(
        self, inputs: jax.Array, training: bool | None = None, mask: jax.Array | None = None
    ) -> jax.Array:
        """Normalize; shapes as in Keras."""
        trace = current_trace()
        if trace is not None and trace.row_weights is not None and training and mask is None:
            rows = trace.row_weights > 0
            shape = inputs.shape[:-1]
            rows = rows.reshape(rows.shape + (1,) * (len(shape) - 1))
            mask = jnp.broadcast_to(rows, shape)
        return super().call(inputs, training=training, mask=mask)


class Sampling(PlainSampling):
    """Draws codes from the encoder's normal distributions, in training and validation.

    z = μ + σ · ε with ε standard normal, so that gradients reach μ and σ (Kingma and Welling 2014,
    arXiv:1312.6114, section 2.4).
    """

    def call(self, inputs: list[jax.Array]) -> jax.Array:
        """Draw; both inputs and the output have shape (batch, bottleneck)."""
        trace = current_trace()
        if trace is None:
            return super().call(inputs)
        mean, log_variance = inputs
        drawn = _random.normal(trace.key, trace.step, trace.next_site(), tuple(mean.shape))
        return mean + jnp.exp(log_variance / 2) * drawn.astype(mean.dtype)


_SMALL_PRODUCT = 1_000_000  # multiply-adds


@jax.custom_vjp
def matrix_product(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Multiply rows of shape (batch, n) by a kernel of shape (n, m), for training on a CPU.

    The kernel's gradient is a product over the batch axis of both factors. XLA hands such a
    product to a slower routine than one over the last axis of the left factor, and folds an
    explicit transpose back into it, so a barrier keeps the transpose of a small factor. Large
    products are left alone: the other routine uses several threads. ``benchmarks/kernels.py``
    prints the ratio of the two by size.
    """
    return jnp.matmul(x, kernel)


def _forward(x: jax.Array, kernel: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return jnp.matmul(x, kernel), (x, kernel)


def _backward(
    saved: tuple[jax.Array, jax.Array], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
    x, kernel = saved
    transposed = x.T
    if x.shape[0] * kernel.size <= _SMALL_PRODUCT:
        transposed = jax.lax.optimization_barrier(transposed)
    return jnp.matmul(gradient, kernel.T), jnp.matmul(transposed, gradient)


matrix_product.defvjp(_forward, _backward)


class Dense(keras.layers.Dense):
    """A dense layer whose product is `matrix_product`."""

    def call(self, inputs: jax.Array, training: bool | None = None) -> jax.Array:
        """Apply the layer; shapes as in Keras."""
        if len(inputs.shape) != 2 or self.quantization_mode is not None or self.lora_enabled:
            return super().call(inputs, training=training)
        kernel = keras.ops.convert_to_tensor(self.kernel)
        x = matrix_product(keras.ops.convert_to_tensor(inputs), kernel)
        if self.bias is not None:
            x = keras.ops.add(x, self.bias)
        return x if self.activation is None else self.activation(x)
