"""Catch the initializer of every variable that is built, and leave the drawing for later.

Keras draws a variable's values when it builds it, one small compiled call a shape, and forgets
the initializer. A training replaces those values at once by each restart's own, which it draws
for all restarts in one call; so while narrows builds a network for training, variables start at
zero and their initializers are kept. What a function of the user sets by hand is seen by the
variable holding another array than the one that it was built with.
"""

import contextlib
import copy
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from narrows._keras import in_stateless_scope, keras, seeded_session

_lock = threading.RLock()


@dataclass(frozen=True)
class Start:
    """Where the variables of a network start.

    Attributes
    ----------
    initializers : mapping of int to keras.initializers.Initializer or None
        By the variable's id; None stands for a variable that an unknown function made.
    kept : frozenset of int
        Ids of variables whose own value is the start of every restart.
    variables : tuple of keras.Variable
        All of them, so that no id can become another object's.
    """

    initializers: Mapping[int, Any]
    kept: frozenset[int] = frozenset()
    variables: tuple = ()


@dataclass
class Build:
    """What was built inside a block of `deferred_initializers`.

    Attributes
    ----------
    initializers : dict of int to keras.initializers.Initializer or None
        By the variable's id, see `Start`.
    read : bool
        Whether a function looked at the numbers of a variable that was built in the block.
    """

    initializers: dict[int, Any] = field(default_factory=dict)
    _variables: dict[int, Any] = field(default_factory=dict)
    _first: dict[int, Callable] = field(default_factory=dict)
    _layers: dict[int, Any] = field(default_factory=dict)
    _copied: set[int] = field(default_factory=set)
    read: bool = False

    def note(self, variable, initializer, stand_in: "_StandIn | None") -> None:
        """Remember a variable, its initializer, and the array that it was built with."""
        self.initializers[id(variable)] = copy.copy(initializer)
        self._variables[id(variable)] = variable
        array = variable._value
        # What a layer builds while it is called gets its array later.
        self._first[id(variable)] = lambda: array if stand_in is None else stand_in.made

    def made(self, layer) -> bool:
        """Whether a layer was made inside the block."""
        return id(layer) in self._layers

    def built(self, variable) -> bool:
        """Whether a variable was built inside the block."""
        return id(variable) in self._variables

    def note_copied(self, variable) -> None:
        """Remember that a variable's value was copied from a layer that the user gave."""
        self._copied.add(id(variable))

    def assigned(self) -> list:
        """Return the variables that a function gave another value than they were built with."""
        return [
            variable
            for key, variable in self._variables.items()
            if variable._value is not self._first[key]() and key not in self._copied
        ]

    def start(self) -> Start:
        """Return where the variables start: what was set or copied stays as it is."""
        kept = self._copied | {id(variable) for variable in self.assigned()}
        return Start(self.initializers, frozenset(kept), tuple(self._variables.values()))


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


class _StandIn(keras.initializers.Initializer):
    """What builds a variable in place of its initializer, without compiling a program.

    Zeros; or, from a generator, numbers that differ from one variable and one seed to the next
    where the initializer draws, and its own where it does not.
    """

    def __init__(self, original: Any, generator: np.random.Generator | None):
        self._original, self._generator = original, generator
        self.made: Any = None

    def __call__(self, shape, dtype=None):
        dtype = keras.backend.standardize_dtype(dtype)
        if self._generator is None:
            values = np.zeros(shape, dtype)
        elif hasattr(self._original, "_init_seed"):
            values = (0.1 * self._generator.standard_normal(shape)).astype(dtype)
        else:
            values = self._original(shape, dtype=dtype)
        self.made = keras.ops.convert_to_tensor(values, dtype)
        return self.made


@contextlib.contextmanager
def deferred_initializers(fill: int | None = None) -> Iterator[Build]:
    """Build variables at zero inside the block; yield what was built."""
    found = Build()
    generator = None if fill is None else np.random.default_rng(fill)
    seeded = contextlib.nullcontext() if fill is None else seeded_session(fill)
    with _lock, uncompiled_zeros(), seeded:
        add_weight, new = keras.layers.Layer.add_weight, keras.layers.Layer.__new__
        here = threading.get_ident()

        def add_deferred(self, *args, **kwargs):
            if threading.get_ident() != here:  # somebody else's model
                return add_weight(self, *args, **kwargs)
            args, kwargs, kept, stand_in = _exchange(args, kwargs, generator)
            variable = add_weight(self, *args, **kwargs)
            found.note(variable, kept, stand_in)
            return variable

        def new_noted(cls, *args, **kwargs):
            layer = new(cls, *args, **kwargs)
            if threading.get_ident() == here:
                found._layers[id(layer)] = layer
            return layer

        keras.layers.Layer.add_weight = add_deferred
        keras.layers.Layer.__new__ = staticmethod(new_noted)
        try:
            with _reads_noted(found):
                yield found
        finally:
            keras.layers.Layer.add_weight = add_weight
            keras.layers.Layer.__new__ = staticmethod(new)


@contextlib.contextmanager
def _reads_noted(build: Build) -> Iterator[None]:
    """Note in `build` when the value of one of its variables is read inside the block."""
    kind, here = keras.Variable, threading.get_ident()
    inherited, own = kind.value, vars(kind).get("value")

    def value(self):
        if threading.get_ident() == here and build.built(self) and not in_stateless_scope():
            build.read = True
        return inherited.fget(self)

    kind.value = property(value)
    try:
        yield
    finally:
        if own is None:
            del kind.value
        else:
            kind.value = own


def _exchange(args: tuple, kwargs: dict, generator: np.random.Generator | None):
    """Put a stand-in in the initializer's place in a call of ``add_weight``; return both.

    A plain function in that place is called as it is: nobody can tell what it draws from.
    """
    positional = len(args) > 1
    initializer = args[1] if positional else kwargs.get("initializer")
    if isinstance(initializer, str):
        initializer = keras.initializers.get(initializer)
    elif initializer is None and _is_float(args[2] if len(args) > 2 else kwargs.get("dtype")):
        initializer = keras.initializers.GlorotUniform()  # Keras's own default
    if not isinstance(initializer, keras.initializers.Initializer):
        return args, kwargs, None, None
    stand_in = _StandIn(initializer, generator)
    if positional:
        return (args[0], stand_in, *args[2:]), kwargs, initializer, stand_in
    return args, {**kwargs, "initializer": stand_in}, initializer, stand_in


def _is_float(dtype) -> bool:
    return dtype is None or "float" in str(dtype)


def initializers_of(model: keras.Model, clone: Callable) -> dict[int, Any]:
    """Return the initializer of each variable of a model that somebody else built.

    They are caught while `clone`, a function of the model, builds its layers again.
    """
    with deferred_initializers() as found:
        twin = clone(model)
    shapes = [[tuple(v.shape) for v in one.variables] for one in (model, twin)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"The model {model.name!r} must be one that its configuration describes. A copy of "
            "it has other weights. Give the weights to start from, or define get_config for its "
            "layers so that it returns every argument."
        )
    pairs = zip(model.variables, twin.variables, strict=True)
    return {
        id(own): found.initializers[id(other)]
        for own, other in pairs
        if id(other) in found.initializers
    }
