"""A network as the engine runs it: the user's own layers and variables, some called another way.

Nothing is copied, so what is trained is the network at hand, whatever its layers hold that no
configuration tells: attributes set later, weights of another layer, functions that read a
variable. Of layers of exactly known classes a sibling runs in the layer's place: an object with
the layer's own attributes and variables, whose class computes the same in a way that suits a
compiled training (`_layers`, `_convolutions`).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import jax

from narrows._keras import keras
from narrows.networks import Sampling
from narrows.training.compiling import _convolutions, _layers
from narrows.training.compiling._dropout import FUNCTIONAL

_EVERYWHERE: dict[Any, Any] = {
    keras.layers.Dropout: _layers.Dropout,
    keras.layers.BatchNormalization: _layers.BatchNormalization,
    Sampling: _layers.Sampling,
}
_ON_CPU: dict[Any, Any] = {keras.layers.Dense: _layers.Dense, **_convolutions.EXCHANGED}


class _Graph(FUNCTIONAL):
    """A functional model that runs siblings of its layers."""

    _places: Mapping[int, int]

    def _run_through_graph(
        self, inputs: Any, operation_fn: Callable[[Any], Any] = lambda op: op, **kwargs: Any
    ) -> Any:
        def run(operation: Any) -> Any:
            return operation_fn(exchanged(operation, self._places))

        return super()._run_through_graph(inputs, operation_fn=run, **kwargs)


class _Sequence(keras.Sequential):
    """A sequential model that runs siblings of its layers."""


_NONE: Mapping[int, int] = MappingProxyType({})


def exchanged(layer: Any, places: Mapping[int, int] = _NONE) -> Any:
    """Return what a training runs in the place of a layer, model or operation.

    Dropout layers whose `id` has a place take their rate there from the lane.
    """
    if type(layer) is FUNCTIONAL:
        return _sibling(layer, _Graph, {"_places": places})
    if type(layer) is keras.Sequential:
        inner = getattr(layer, "_functional", None)
        own: dict[str, Any] = {"_layers": [exchanged(one, places) for one in layer._layers]}
        own["_functional"] = inner and exchanged(inner, places)
        return _sibling(layer, _Sequence, own)
    kind = _EVERYWHERE.get(type(layer))
    if kind is None and jax.default_backend() == "cpu":
        kind = _ON_CPU.get(type(layer))
    if kind is None:
        return layer
    return _sibling(layer, kind, {"_place": places[id(layer)]} if id(layer) in places else None)


def _sibling(layer: Any, kind: type, more: dict[str, Any] | None = None) -> Any:
    """Return an object of another class over the same attributes, variables included."""
    found: Any = object.__new__(kind)
    found.__dict__.update(vars(layer))
    found.__dict__.update(more or {})
    return found


def encoder_of(model: keras.Model) -> Callable:
    """Return ``encode(trainable, other, rows)``: the code in inference mode.

    It takes the model's own trainable and other variables, decoder included.
    """
    encoder = keras.Model(model.inputs, model.output["code"], name="encoder")
    run = exchanged(encoder)
    trainable_places = _places(encoder.trainable_variables, model.trainable_variables)
    other_places = _places(encoder.non_trainable_variables, model.non_trainable_variables)

    def encode(trainable: list[jax.Array], other: list[jax.Array], rows: jax.Array) -> jax.Array:
        own = [trainable[i] for i in trainable_places], [other[i] for i in other_places]
        return run.stateless_call(*own, rows, training=False)[0]

    return encode


def _places(some: list[keras.Variable], among: list[keras.Variable]) -> list[int]:
    """Return where each of some variables stands among others."""
    places = {id(variable): place for place, variable in enumerate(among)}
    return [places[id(variable)] for variable in some]
