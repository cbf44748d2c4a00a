"""Every activation, regularizer, constraint and initializer that Keras names: a branch each."""

import inspect
from collections.abc import Callable

from narrows._keras import keras
from support.keras_case import classes_of, compare_network, table

_REGULARIZERS: dict[str, dict] = {
    "L1": {"l1": 0.3},
    "L2": {"l2": 0.3},
    "L1L2": {"l1": 0.1, "l2": 0.2},
    "OrthogonalRegularizer": {"factor": 0.1, "mode": "columns"},
}
_CONSTRAINTS: dict[str, dict] = {
    "MaxNorm": {"max_value": 0.4, "axis": 1},
    "MinMaxNorm": {"min_value": 0.3, "max_value": 0.6, "rate": 0.5},
    "UnitNorm": {"axis": 1},
}
_INITIALIZERS: dict[str, dict] = {
    "Constant": {"value": 0.3},
    "Identity": {"gain": 0.5},
    "IdentityInitializer": {"gain": 0.5},
    "Orthogonal": {"gain": 0.5},
    "OrthogonalInitializer": {"gain": 0.5},
    "RandomNormal": {"mean": 0.2, "stddev": 0.3},
    "RandomUniform": {"minval": 0.1, "maxval": 0.4},
    "TruncatedNormal": {"mean": 0.1, "stddev": 0.4},
    "VarianceScaling": {"scale": 2.0, "mode": "fan_avg", "distribution": "uniform"},
}
_NO_ACTIVATIONS = ("get", "serialize", "deserialize", "glu")  # glu halves the columns


def _default_and_unusual(module, base, settings) -> dict[str, Callable]:
    found: dict[str, Callable] = {}
    for name, kind in classes_of(module, base).items():
        found[name] = kind
        if name in settings:
            found[f"{name} unusual"] = lambda k=kind, n=name: k(**settings[n])
    return found


def _drawn(make: Callable):
    """Give an initializer that draws a seed, so that Keras and narrows draw the same."""
    initializer = make()
    config = initializer.get_config()
    if "seed" not in config:
        return initializer
    return type(initializer).from_config({**config, "seed": 7})


def pieces() -> dict[str, dict]:
    """For each name of a piece of a layer, the arguments of a dense layer that has it."""
    k = keras
    found: dict[str, dict] = {}
    activations = {
        f"activation {name}": function
        for name, function in vars(k.activations).items()
        if callable(function) and name not in _NO_ACTIVATIONS and _of_one_argument(function)
    }
    found |= {name: {"activation": function} for name, function in activations.items()}
    for name, make in _default_and_unusual(
        k.regularizers, k.regularizers.Regularizer, _REGULARIZERS
    ).items():
        found[f"regularizer {name}"] = {"kernel_regularizer": make()}
        if "Orthogonal" not in name:
            found[f"activity regularizer {name}"] = {"activity_regularizer": make()}
    for name, make in _default_and_unusual(
        k.constraints, k.constraints.Constraint, _CONSTRAINTS
    ).items():
        found[f"constraint {name}"] = {"kernel_constraint": make()}
    for name, make in _default_and_unusual(
        k.initializers, k.initializers.Initializer, _INITIALIZERS
    ).items():
        if not name.startswith("STFT"):  # of a complex kernel with an odd number of columns
            found[f"initializer {name}"] = {"kernel_initializer": _drawn(make)}
    return found


def _of_one_argument(function) -> bool:
    """Whether a layer can call it: Keras's threshold needs two more."""
    needed = [
        one.name
        for one in inspect.signature(function).parameters.values()
        if one.default is inspect.Parameter.empty
    ]
    return len(needed) == 1


def branching(arguments: dict[str, dict]) -> keras.Model:
    """Build a network with a branch of one dense layer for each piece."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    branches = [
        keras.layers.Dense(4, name=name.replace(" ", "_"), **own)(inputs)
        for name, own in arguments.items()
    ]
    return keras.Model(inputs, keras.layers.Dense(4)(keras.layers.Concatenate()(branches)))


def compare_pieces(arguments: dict[str, dict]) -> None:
    """Train with all of them together, from weights that both draw alike."""
    model = branching(arguments)
    compare_network(model, table(4))
