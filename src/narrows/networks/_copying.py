"""Copies of layers, and what in a layer is not Keras's own."""

import inspect
from typing import Any

from narrows._keras import keras

_HOMES = ("keras.", "narrows.")
_CONFIGURED = (
    keras.initializers.Initializer,
    keras.regularizers.Regularizer,
    keras.constraints.Constraint,
)
_OBJECTS = (*_CONFIGURED, keras.layers.Layer)
_FUNCTIONS = ("activation", "initializer", "regularizer", "constraint")


def foreign_pieces(layer) -> dict[str, Any]:
    """Return classes and functions that a layer uses and Keras does not know, by their name.

    Those of the layers of a model, which may be a layer of another one, too.
    """
    pieces: list[Any] = [type(layer)]
    for name, value in vars(layer).items():
        if isinstance(value, _CONFIGURED):
            pieces.append(type(value))
        elif inspect.isfunction(value) or (name.endswith(_FUNCTIONS) and callable(value)):
            pieces.append(value)
    found = {
        getattr(piece, "__name__", repr(piece)): piece for piece in pieces if _is_foreign(piece)
    }
    for inner in layer.layers if isinstance(layer, keras.Model) else ():
        found |= foreign_pieces(inner)
    return found


def _is_foreign(piece) -> bool:
    home = getattr(piece, "__module__", None) or type(piece).__module__
    return not str(home).startswith(_HOMES)


def is_own(piece) -> bool:
    """Whether the class of an object is Keras's or ours, so that its behaviour is known."""
    return not _is_foreign(type(piece))


def copy_layer(layer, kind=None):
    """Make a new layer from a layer's configuration, of its own class or of class `kind`."""
    kind = kind or type(layer)
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
