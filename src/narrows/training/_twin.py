"""The training twin: the same graph and weights, with layers that suit a compiled training.

Two kinds of layer are exchanged. Dropout draws cheap masks (`_random`), and batch normalization
leaves out the padding rows of a short last batch. Both read what they need from the trace that
is under way, so the twin has the same variables, in the same order, as the user's model.
"""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import jax

from narrows._keras import fresh_names, keras
from narrows.networks._initializers import deferred_initializers
from narrows.training import _random


@dataclass
class Trace:
    """What the exchanged layers may know while a step is being traced."""

    key: jax.Array
    step: jax.Array
    row_weights: jax.Array | None
    sites: int = field(default=1)

    def next_site(self) -> int:
        """Number the network's random places in the order in which they are traced."""
        self.sites += 1
        return self.sites - 1


_current = threading.local()


@contextlib.contextmanager
def tracing(trace: Trace) -> Iterator[None]:
    """Make `trace` the one that exchanged layers read, in this thread."""
    before = getattr(_current, "trace", None)
    _current.trace = trace
    try:
        yield
    finally:
        _current.trace = before


class _Dropout(keras.layers.Dropout):
    """Keras's inverted dropout with masks from `_random`."""

    def call(self, inputs, training=False):
        trace = getattr(_current, "trace", None)
        if trace is None or not training or self.rate in (0, 1):
            return super().call(inputs, training=training)
        shape = tuple(inputs.shape)
        if self.noise_shape is not None:
            pairs = zip(self.noise_shape, shape, strict=True)
            shape = tuple(n if s is None else s for s, n in pairs)
        keep = _random.keep_mask(trace.key, trace.step, trace.next_site(), shape, self.rate)
        scale = 1.0 / (1.0 - self.rate)
        return jax.numpy.where(keep, inputs * scale, jax.numpy.zeros((), inputs.dtype))


class _BatchNormalization(keras.layers.BatchNormalization):
    """Batch normalization whose batch statistics leave out padding rows."""

    def call(self, inputs, training=None, mask=None):
        trace = getattr(_current, "trace", None)
        if trace is not None and trace.row_weights is not None and training and mask is None:
            rows = trace.row_weights > 0
            shape = inputs.shape[:-1]
            rows = rows.reshape(rows.shape + (1,) * (len(shape) - 1))
            mask = jax.numpy.broadcast_to(rows, shape)
        return super().call(inputs, training=training, mask=mask)


_EXCHANGED: dict[Any, Any] = {
    keras.layers.Dropout: _Dropout,
    keras.layers.BatchNormalization: _BatchNormalization,
}


@dataclass(frozen=True)
class Twin:
    """A model to trace, and the initializer of each of its variables, by the variable's id."""

    model: keras.Model
    initializers: dict[int, keras.initializers.Initializer]


def make_twin(model: keras.Model) -> Twin:
    """Clone `model` for training; variables come in the same order as in `model`."""

    def clone(layer):
        kind = _EXCHANGED.get(type(layer), type(layer))
        return kind.from_config(layer.get_config())

    with fresh_names(), deferred_initializers() as initializers:
        twin = keras.models.clone_model(model, clone_function=clone, recursive=True)
    return Twin(twin, initializers)
