"""Run a trained graph on rows: compiled once per graph and batch size, in bounded memory."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from narrows._keras import keras
from narrows.networks import digest
from narrows.training._engine import engine
from narrows.training.compiling._cache import compiling
from narrows.training.compiling._identity import model_text

_BATCHES = (1, 32, 512, 4096)  # few sizes, so that few programs are compiled
_VALUES = 16_000_000  # numbers in one batch at most: 64 MB
_KEPT = 64
_compiled: OrderedDict = OrderedDict()
_lock = threading.RLock()


@engine()
def forward(
    model: keras.Model, x: np.ndarray, values: Mapping[int, np.ndarray] | None = None
) -> np.ndarray:
    """Apply a model in inference mode.

    Parameters
    ----------
    model : keras.Model
    x : float32 ndarray of shape (n_rows, ...)
    values : mapping of int to ndarray, optional
        What to compute with instead of the model's own variables, by each variable's `id`.

    Returns
    -------
    float32 ndarray of shape (n_rows, ...)
    """
    trainable, other = (
        [v.value if values is None else values[id(v)] for v in variables]
        for variables in (model.trainable_variables, model.non_trainable_variables)
    )
    size = _batch_size(x)
    function = _function(model, trainable, other, size, x)
    parts = []
    for first in range(0, len(x), size):
        batch = x[first : first + size]
        short = size - len(batch)
        if short:
            batch = np.concatenate([batch, np.zeros((short, *x.shape[1:]), x.dtype)])
        found = np.asarray(function(trainable, other, batch), np.float32)
        parts.append(found[: size - short])
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _batch_size(x: np.ndarray) -> int:
    row = max(int(np.prod(x.shape[1:])), 1)
    fitting = [size for size in _BATCHES if size * row <= _VALUES] or [1]
    return next((size for size in fitting if size >= len(x)), fitting[-1])


def _function(
    model: keras.Model, trainable: list[Any], other: list[Any], size: int, x: np.ndarray
) -> Callable[..., jax.Array]:
    def run(trainable: list[Any], other: list[Any], batch: jax.Array) -> jax.Array:
        return model.stateless_call(trainable, other, batch, training=False)[0]

    args = (trainable, other, np.zeros((size, *x.shape[1:]), x.dtype))
    text = model_text(model) or digest(run, *args)
    if text is None:  # it calls back into Python: nobody can tell whether it is as it was
        return _compile(run, args)
    key = (text, size, x.shape[1:], str(x.dtype))
    with _lock:
        if key not in _compiled:
            _compiled[key] = _compile(run, args)
            while len(_compiled) > _KEPT:
                _compiled.popitem(last=False)
        _compiled.move_to_end(key)
        return _compiled[key]


def _compile(run: Callable[..., jax.Array], args: tuple[Any, ...]) -> Callable[..., jax.Array]:
    # By default a GPU and a TPU round the factors of products to ten bits and fewer. An embedding
    # is the same everywhere, and what an exported file gives.
    with compiling(), jax.default_matmul_precision("float32"):
        return jax.jit(run).lower(*args).compile()
