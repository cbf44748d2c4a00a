"""Keras graphs to and from configurations, with sizes checked before a weight is allocated.

Importing this imports Keras.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from narrows._keras import keras, only_passed
from narrows.networks import (
    Networks,
    arguments_of,
    deferred_initializers,
    foreign_pieces,
    is_adapted,
    join_networks,
    set_arguments,
    ties_follow,
)
from narrows.storage._allowlist import (
    OWN,
    as_passed,
    may_be_custom,
    unknown_classes,
    without_compiling,
)
from narrows.storage._arrays import KNOWN
from narrows.storage._keras_versions import without_younger
from narrows.storage._limits import at_most, check_graph
from narrows.training import differing

_OBJECTS = (keras.losses.Loss, keras.metrics.Metric, keras.optimizers.Optimizer)


def config_of(model: keras.Model) -> tuple[dict[str, Any], list[str]]:
    """Return a model's configuration and the names of classes in it that are not Keras's own."""
    try:
        config = without_younger(without_compiling(json.loads(model.to_json())))
    except (OSError, TypeError, ValueError, NotImplementedError) as error:
        # A lambda has no name to be found by; where its source cannot be read, Keras raises.
        raise ValueError(
            f"The {model.name} must be describable layer by layer. Keras cannot describe it: "
            f"{error}. Use named functions and layers with get_config in place of lambdas."
        ) from error
    custom = unknown_classes(config)
    if not may_be_custom(config):
        raise ValueError(
            f"The {model.name} must be made of layers whose work is in their configuration. Got "
            f"{custom} instead, which would store code. Write a layer class, and pass it to "
            "narrows.load as custom_objects."
        )
    return config, custom


def build(
    encoder: Any,
    decoder: Any,
    row_shape: tuple[int, ...],
    bottleneck: int,
    *,
    stored: int,
    custom_objects: Mapping[str, Any],
) -> Networks:
    """Build encoder and decoder from their configurations, with weights at zero."""
    configs = (encoder,) if decoder is None else (encoder, decoder)
    parts = [checked(part, custom_objects, "narrows.load") for part in configs]
    with building(stored, custom_objects), ties_follow():
        models = [from_config(config) for config in parts]
        codes = [(bottleneck,)] * min(len(models[0].outputs), 2)
        _check_ends(models[0], [row_shape, *codes])
        if decoder is None:
            return join_networks(models[0], None)
        _check_ends(models[1], [(bottleneck,), row_shape])
        return join_networks(*models)


def checked(config: Any, custom_objects: Mapping[str, Any], loader: str) -> Any:
    """Return a network's configuration as Keras may see it."""
    config = without_younger(without_compiling(config))
    unknown = unknown_classes(config, custom_objects)
    if unknown:
        raise ValueError(
            f"its network has the layers or functions {unknown}, which are not Keras's own or "
            "could run code. If they are yours, pass them: "
            f"{loader}(path, custom_objects={{{unknown[0]!r}: ...}})"
        )
    check_graph(config)
    return as_passed(config, custom_objects)


@contextlib.contextmanager
def building(stored: int, custom_objects: Mapping[str, Any]) -> Iterator[None]:
    """Build checked configurations inside the block, with weights at zero and within bounds."""
    with (
        only_passed({**OWN, **custom_objects}),
        deferred_initializers(),
        at_most(stored),
    ):
        yield


def weights_of(model: keras.Model) -> dict[str, np.ndarray]:
    """Return a model's weights by ``layer/number.name``."""
    found = {}
    for key, layer, weight in _named_weights(model):
        value = np.asarray(weight.value)
        if value.dtype.name not in KNOWN:
            raise ValueError(
                f"Layer {layer!r}: {weight.name} must be of a type that every reader knows. Got "
                f"{value.dtype} instead. Use float32, float16 or bfloat16."
            )
        found[key] = value
    return found


def assign_weights(model: keras.Model, stored: Mapping[str, np.ndarray]) -> None:
    """Give a model its weights, if they are those it needs, one by one."""
    wanted = {key: (layer, weight) for key, layer, weight in _named_weights(model)}
    for key, (layer, weight) in wanted.items():
        if key not in stored:
            raise ValueError(f"layer {layer!r}: expected {weight.name}, file has none")
        value = stored[key]
        shape = tuple(weight.shape)
        if value.shape != shape or value.dtype.name != weight.dtype:
            raise ValueError(
                f"layer {layer!r}: expected {weight.name} {shape} of {weight.dtype}, file has "
                f"{value.shape} of {value.dtype}"
            )
    if len(stored) > len(wanted):
        raise ValueError(f"no layer of its network has {sorted(set(stored) - set(wanted))}")
    for key, (_, weight) in wanted.items():
        weight.assign(stored[key])
    for layer in model._flatten_layers():
        if is_adapted(layer):
            layer.finalize_state()


def check_answers(networks: Networks, stored: Mapping[str, Any]) -> None:
    """Refuse networks that make something else of the made-up rows than a file says."""
    name = differing(networks, stored)
    if name is not None:
        raise ValueError(
            f"its networks give another {name} for made-up rows than when it was saved. A class "
            "that you pass may compute something else, or its get_config leave arguments out"
        )


def check_rebuilt(
    networks: Networks, configs: Mapping[str, Any], weights: Mapping, stated: Mapping[str, Any]
) -> None:
    """Refuse networks that could not be loaded again, where classes are not Keras's own.

    What they answer is `stated`.
    """
    pieces: dict[str, Any] = {}
    for model in (networks.posterior or networks.encoder, networks.decoder):
        for layer in model._flatten_layers() if model is not None else ():
            pieces |= foreign_pieces(layer)
    pieces |= {keras.saving.get_registered_name(piece): piece for piece in pieces.values()}
    encoder = networks.encoder
    try:
        again = build(
            configs["posterior" if "posterior" in configs else "encoder"],
            configs.get("decoder"),
            tuple(encoder.input.shape[1:]),
            int(encoder.output.shape[-1]),
            stored=sum(value.size for value in weights.values()),
            custom_objects=pieces,
        )
        assign_weights(again.trained, weights)
        check_answers(again, stated)
    except Exception as error:
        raise ValueError(
            "A model in a .narrows file must be one that can be built again from its "
            f"configuration. This one cannot: {' '.join(str(error).split())[:300]}. Let get_config "
            "return every argument of your layers' constructors; tie weights with "
            "narrows.networks.Transposed."
        ) from error


def object_config(value: Any) -> dict[str, Any] | None:
    """Return the configuration of one of Keras's own losses, optimizers or metrics, else None."""
    kinds = {
        keras.losses.Loss: keras.losses.serialize,
        keras.metrics.Metric: keras.metrics.serialize,
        keras.optimizers.Optimizer: keras.optimizers.serialize,
    }
    for kind, serialize in kinds.items():
        if not isinstance(value, kind):
            continue
        try:
            config = without_younger(json.loads(json.dumps(serialize(value))))
        except (TypeError, ValueError, NotImplementedError):
            return None
        if unknown_classes(config):
            return None
        return _with_arguments(config, value)
    return None


_ARGUMENTS = "arguments"  # of the function in a loss or metric, where a configuration forgets them


def _with_arguments(config: dict[str, Any], value: Any) -> dict[str, Any] | None:
    """Add what Keras's configuration of a loss or metric forgets; None if it is not for JSON."""
    own = arguments_of(value)
    if not own or own == arguments_of(type(value).from_config(value.get_config())):
        return config
    if not all(isinstance(one, _PLAIN) for one in own.values()):
        return None
    return {**config, _ARGUMENTS: own}


_PLAIN = bool | int | float | str | None


def _take_arguments(found: Any, arguments: Any) -> None:
    """Give a loss or metric what its configuration forgot, if it is of the kind that it takes."""
    own = arguments_of(found)
    same = isinstance(arguments, dict) and own is not None and set(arguments) == set(own)
    if not same or not all(isinstance(one, _PLAIN) for one in arguments.values()):
        raise ValueError(f"a {type(found).__name__} has the arguments {arguments!r}")
    set_arguments(found, arguments)


def object_from(config: Any) -> Any:
    """Return the loss, optimizer or metric of a configuration of Keras's own classes."""
    config = without_younger(config)
    arguments = config.pop(_ARGUMENTS, None) if isinstance(config, dict) else None
    unknown = unknown_classes(config)
    if unknown:
        raise ValueError(f"a parameter is of the class {unknown[0]!r}, which is not Keras's own")
    with only_passed({}):
        found = keras.saving.deserialize_keras_object(as_passed(config, ()), safe_mode=True)
    if not isinstance(found, _OBJECTS):
        raise ValueError(f"a parameter is a {type(found).__name__}, not a loss or an optimizer")
    if arguments is not None:
        _take_arguments(found, arguments)
    return found


def from_config(config: Any) -> keras.Model:
    """Build a model from a configuration that `checked` returned, inside `building`."""
    model = keras.saving.deserialize_keras_object(config, safe_mode=True)
    if not isinstance(model, keras.Model):
        raise ValueError(f"its network is a {type(model).__name__}, not a Keras model")
    return model


def _check_ends(model: keras.Model, wanted: list[tuple[int, ...]]) -> None:
    found = [tuple(tensor.shape[1:]) for tensor in (*model.inputs, *model.outputs)]
    if found != wanted:
        raise ValueError(
            f"its {model.name} must take the shape {wanted[0]} and make {wanted[1:]}; it has "
            f"{found} instead"
        )


def _named_weights(model: keras.Model) -> Iterator[tuple[str, str, Any]]:
    seen = set()  # what two layers share is stored once
    for layer in model.layers:
        for number, weight in enumerate(layer.weights):
            if id(weight) not in seen:
                seen.add(id(weight))
                yield f"{layer.name}/{number}.{weight.name}", layer.name, weight
