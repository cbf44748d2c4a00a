"""Catch the initializer of every variable that is built, and leave the drawing for later.

Keras draws a variable's values when it builds it, one small compiled call a shape, and forgets
the initializer. A training replaces those values at once by each restart's own, which it draws
for all restarts in one call; so while narrows builds a network for training, variables start at
zero and their initializers are kept.
"""

import contextlib
import copy
import threading
from collections.abc import Iterator

import numpy as np

from narrows._keras import keras

_lock = threading.RLock()


@contextlib.contextmanager
def uncompiled_zeros() -> Iterator[None]:
    """Make Keras's zeros with NumPy inside the block: JAX compiles a program for every shape."""
    with _lock:
        original = keras.initializers.Zeros.__call__
        here = threading.get_ident()

        def zeros(self, shape, dtype=None):
            if threading.get_ident() != here:  # somebody else's model
                return original(self, shape, dtype)
            return np.zeros(shape, keras.backend.standardize_dtype(dtype))

        keras.initializers.Zeros.__call__ = zeros
        try:
            yield
        finally:
            keras.initializers.Zeros.__call__ = original


@contextlib.contextmanager
def deferred_initializers() -> Iterator[dict[int, keras.initializers.Initializer | None]]:
    """Build variables at zero inside the block; yield their initializers by the variable's id.

    None stands for a variable that an unknown function made.
    """
    found: dict[int, keras.initializers.Initializer | None] = {}
    with _lock, uncompiled_zeros():
        original = keras.layers.Layer.add_weight
        here = threading.get_ident()

        def add_weight(self, *args, **kwargs):
            if threading.get_ident() != here:  # somebody else's model
                return original(self, *args, **kwargs)
            args, kwargs, kept = _exchange(args, kwargs)
            variable = original(self, *args, **kwargs)
            found[id(variable)] = copy.copy(kept)
            return variable

        keras.layers.Layer.add_weight = add_weight
        try:
            yield found
        finally:
            keras.layers.Layer.add_weight = original


def _exchange(args: tuple, kwargs: dict):
    """Put zeros in the initializer's place in a call of ``add_weight``; return what was there.

    A plain function in that place is called as it is: nobody can tell what it draws from.
    """
    positional = len(args) > 1
    initializer = args[1] if positional else kwargs.get("initializer")
    if isinstance(initializer, str):
        initializer = keras.initializers.get(initializer)
    elif initializer is None and _is_float(args[2] if len(args) > 2 else kwargs.get("dtype")):
        initializer = keras.initializers.GlorotUniform()  # Keras's own default
    if not isinstance(initializer, keras.initializers.Initializer):
        return args, kwargs, None
    zeros = keras.initializers.Zeros()
    if positional:
        return (args[0], zeros, *args[2:]), kwargs, initializer
    return args, {**kwargs, "initializer": zeros}, initializer


def _is_float(dtype) -> bool:
    return dtype is None or "float" in str(dtype)
