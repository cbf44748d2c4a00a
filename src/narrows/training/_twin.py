"""The training twin: the same graph and weights, with layers that suit a compiled training.

Some layer classes are exchanged (`_layers`, `_convolutions`). The twin has the same variables, in
the same order, as the user's model.
"""

import inspect
from dataclasses import dataclass
from typing import Any

import jax

from narrows._keras import fresh_names, keras
from narrows.networks._initializers import deferred_initializers
from narrows.training import _convolutions, _layers

_EVERYWHERE: dict[Any, Any] = {
    keras.layers.Dropout: _layers.Dropout,
    keras.layers.BatchNormalization: _layers.BatchNormalization,
}
_ON_CPU: dict[Any, Any] = {keras.layers.Dense: _layers.Dense, **_convolutions.EXCHANGED}

_CONFIGURED = (
    keras.initializers.Initializer,
    keras.regularizers.Regularizer,
    keras.constraints.Constraint,
)
_OBJECTS = (*_CONFIGURED, keras.layers.Layer)
_FUNCTIONS = ("activation", "initializer", "regularizer", "constraint")


def foreign_pieces(layer) -> dict[str, Any]:
    """Return classes and functions that a layer uses and Keras does not know, by their name."""
    pieces: list[Any] = [type(layer)]
    for name, value in vars(layer).items():
        if isinstance(value, _CONFIGURED):
            pieces.append(type(value))
        elif inspect.isfunction(value) or (name.endswith(_FUNCTIONS) and callable(value)):
            pieces.append(value)
    return {
        getattr(piece, "__name__", repr(piece)): piece for piece in pieces if _is_foreign(piece)
    }


def _is_foreign(piece) -> bool:
    home = getattr(piece, "__module__", None) or type(piece).__module__
    return not str(home).startswith(("keras.", "narrows."))


def _copy(layer, kind):
    """Make a new layer of class `kind` from a layer's configuration."""
    if isinstance(layer, keras.layers.Lambda):
        # Its configuration holds the function as code, which Keras rightly refuses to run.
        return kind(
            layer.function,
            output_shape=layer._output_shape,
            mask=layer.mask,
            arguments=layer.arguments,
            name=layer.name,
            dtype=layer.dtype_policy,
        )
    own = {
        name: value
        for name, value in vars(layer).items()
        if name.endswith(_FUNCTIONS) and callable(value) and not isinstance(value, _OBJECTS)
    }
    try:
        for name in own:  # Keras cannot write, or not read, a configuration for some functions
            setattr(layer, name, keras.activations.linear if name.endswith("activation") else None)
        config = layer.get_config()
    finally:
        for name, value in own.items():
            setattr(layer, name, value)
    with keras.utils.custom_object_scope(foreign_pieces(layer)):
        return kind.from_config({**config, **own})


@dataclass(frozen=True)
class Twin:
    """A model to trace, and the initializer of each of its variables, by the variable's id."""

    model: keras.Model
    initializers: dict[int, keras.initializers.Initializer | None]


def make_twin(model: keras.Model) -> Twin:
    """Clone `model` for training; variables come in the same order as in `model`."""
    exchanged = _EVERYWHERE | (_ON_CPU if jax.default_backend() == "cpu" else {})

    def clone(layer):
        kind = exchanged.get(type(layer), type(layer))
        try:
            return _copy(layer, kind)
        except Exception as error:
            raise ValueError(
                f"The layer {layer.name!r} must be one that can be copied from its configuration. "
                f"Copying the class {kind.__name__} failed: {error} Define get_config for it so "
                "that it returns every argument of its constructor."
            ) from error

    with fresh_names(), deferred_initializers() as initializers:
        twin = keras.models.clone_model(model, clone_function=clone, recursive=True)
    return Twin(twin, initializers)
