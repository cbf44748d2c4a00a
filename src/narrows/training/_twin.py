"""The training twin: the same graph and weights, with layers that suit a compiled training.

Some layer classes are exchanged (`_layers`, `_convolutions`). The twin has the same variables, in
the same order, as the user's model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax

from narrows._keras import fresh_names, keras
from narrows.networks._copying import copy_layer
from narrows.networks._initializers import deferred_initializers
from narrows.networks._variational import Sampling
from narrows.training import _convolutions, _layers

_EVERYWHERE: dict[Any, Any] = {
    keras.layers.Dropout: _layers.Dropout,
    keras.layers.BatchNormalization: _layers.BatchNormalization,
    Sampling: _layers.Sampling,
}
_ON_CPU: dict[Any, Any] = {keras.layers.Dense: _layers.Dense, **_convolutions.EXCHANGED}


@dataclass(frozen=True)
class Twin:
    """A model to trace, and the initializer of each of its variables, by the variable's id."""

    model: keras.Model
    initializers: dict[int, keras.initializers.Initializer | None]

    def encoder(self) -> Callable:
        """Return ``encode(trainable, other, rows)``: the code in inference mode.

        It takes the model's own trainable and other variables, decoder included.
        """
        encoder = keras.Model(self.model.inputs, self.model.output["code"], name="encoder")
        trainable_places = _places(encoder.trainable_variables, self.model.trainable_variables)
        other_places = _places(encoder.non_trainable_variables, self.model.non_trainable_variables)

        def encode(trainable, other, rows):
            own = [trainable[i] for i in trainable_places], [other[i] for i in other_places]
            return encoder.stateless_call(*own, rows, training=False)[0]

        return encode


def _places(some, among) -> list[int]:
    """Return where each of some variables stands among others."""
    places = {id(variable): place for place, variable in enumerate(among)}
    return [places[id(variable)] for variable in some]


def make_twin(model: keras.Model) -> Twin:
    """Clone `model` for training; variables come in the same order as in `model`."""
    exchanged = _EVERYWHERE | (_ON_CPU if jax.default_backend() == "cpu" else {})

    def clone(layer):
        kind = exchanged.get(type(layer), type(layer))
        try:
            return copy_layer(layer, kind)
        except Exception as error:
            raise ValueError(
                f"The layer {layer.name!r} must be one that can be copied from its configuration. "
                f"Copying the class {kind.__name__} failed: {error} Define get_config for it so "
                "that it returns every argument of its constructor."
            ) from error

    with fresh_names(), deferred_initializers() as initializers:
        twin = keras.models.clone_model(model, clone_function=clone, recursive=True)
    return Twin(twin, initializers)
