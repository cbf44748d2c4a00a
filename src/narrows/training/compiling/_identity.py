"""What tells one training from another, so that a compiled program serves only its like.

What is made of Keras's own classes and ours is told by its configuration. Of a class or function
of somebody else's a configuration says too little: it may read a variable that changes, or hold
what `get_config` forgets. Then the training is traced, and the trace tells (`digest`).
"""

import hashlib
import json
import weakref
from typing import Any

import numpy as np

from narrows._keras import keras
from narrows.networks import Start, is_described, is_told, settings
from narrows.training.compiling._dropout import config_without_rates


def described(recipe: Any) -> bool:
    """Whether configurations tell all that a recipe does, so that nothing need be traced."""
    return (
        is_described(recipe.model)
        and recipe.objective.described
        and all(is_told(piece) for piece in (recipe.optimizer, *recipe.metrics))
        and (recipe.start is None or all(map(is_told, recipe.start.initializers.values())))
    )


def recipe_text(recipe: Any) -> str:
    """Return a text that is equal for described recipes that compile to the same programs."""
    parts = [
        config_without_rates(recipe.model),
        [_variable_config(variable) for variable in recipe.model.variables],
        _start_config(recipe.model, recipe.start),
        _optimizer_config(recipe.optimizer),
        recipe.objective.config(),
        [settings(metric) for metric in recipe.metrics],
        recipe.noise and recipe.noise.kind,
        sorted(recipe.decayed),
    ]
    return _text(parts)


def _variable_config(variable: Any) -> list:
    """Return what counts of a variable, though it may stand in no layer's configuration."""
    pieces = [_piece(variable.constraint), _piece(getattr(variable, "regularizer", None))]
    generator = "seed_generator_state"  # its path has a number of the session's
    path = generator if variable.path.endswith(generator) else variable.path
    return [path, list(variable.shape), str(variable.dtype), variable.trainable, pieces]


def optimizer_text(optimizer: keras.optimizers.Optimizer, variables: list, own: list) -> str | None:
    """Return what tells an optimizer that is built for variables from others; None if unknown."""
    if not (is_told(optimizer) and all(is_told(one.constraint) for one in variables)):
        return None
    weights = [[v.path, list(v.shape), str(v.dtype), _piece(v.constraint)] for v in variables]
    return _text([_optimizer_config(optimizer), weights, [[v.name, list(v.shape)] for v in own]])


def _piece(piece: Any) -> list:
    return [type(piece).__name__, None if piece is None else piece.get_config()]


def _optimizer_config(optimizer: keras.optimizers.Optimizer) -> list:
    config = optimizer.get_config()
    config.pop("name")  # numbered anew for every object
    if not isinstance(config.get("learning_rate"), dict):  # a schedule is compiled in
        config.pop("learning_rate", None)
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        config["inner_optimizer"] = _optimizer_config(inner)
    return [type(optimizer).__name__, config]


def _start_config(model: keras.Model, start: Start | None) -> list | None:
    if start is None:
        return None
    found: list[Any] = []
    for variable in model.variables:
        kept = id(variable) in start.kept
        found.append("kept" if kept else _piece(start.initializers.get(id(variable))))
    return found


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=_plain)


def _plain(value: Any) -> Any:
    """Turn what JSON does not know into something that tells it from others."""
    if keras.ops.is_tensor(value) or isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        return [str(array.dtype), array.shape, hashlib.sha256(array.tobytes()).hexdigest()]
    return getattr(value, "__qualname__", None) or str(type(value))


_texts: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def model_text(model: keras.Model) -> str | None:
    """Return a text that is equal for models that compute the same; None where only a trace tells.

    It is written again when an attribute of a layer has changed.
    """
    state = _state(model)
    known = _texts.get(model)
    if known is not None and _same_objects(known[0], state):
        return known[1]
    text = None
    if is_described(model):
        signature = [[list(v.shape), str(v.dtype)] for v in model.variables]
        text = _text([config_without_rates(model), signature])
    _texts[model] = state, text
    return text


def _state(model: keras.Model) -> list:
    """Return every public attribute of a model's layers, and what decides on their calls."""
    return [
        value
        for layer in model._flatten_layers(include_self=False)
        for key, value in vars(layer).items()
        # Keras wraps these two for every object, and the wrapper holds the object.
        if (not key.startswith("_") or key == "_dtype_policy") and key not in {"build", "quantize"}
    ]


def _same_objects(one: list, other: list) -> bool:
    return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
