"""Which classes a Keras configuration may name: those that compute, and the caller's own.

Keras finds a class by the module and name that stand in the file, and some of its classes run
code from the file (Lambda) or read other files (lookup layers, TorchModuleWrapper, TFSMLayer). So
every configuration is walked before Keras sees it, whatever Keras's own safe mode is set to:

- A class of Keras's own must be one of those below, under its public module; anything that Keras
  would look up elsewhere, by ``registered_name`` or by importing a module, is refused.
- A class or function of someone's own is known only if the caller passed it by its name. Its
  entry is then rewritten so that Keras can find nothing but what was passed.
- A bare text, such as the name of an activation, is looked up by Keras too, and so is what stands
  inside an operation. So the registry of the session is out of sight while a configuration is
  built (`narrows._keras.only_passed`): what a session has registered is not found by a file
  unless it is passed.

Importing this imports Keras.
"""

import sys
from collections.abc import Collection, Iterator
from typing import Any

from narrows._keras import keras
from narrows.networks import Transposed

# Layers of Keras's own whose work is arithmetic, by the packages they live in.
_LAYER_PACKAGES = tuple(
    f"keras.src.layers.{package}."
    for package in (
        "activations", "attention", "convolutional", "core", "merging", "normalization",
        "pooling", "regularization", "reshaping", "rnn",
    )
)  # fmt: skip
_MORE_LAYERS = {"Normalization", "Rescaling"}
_NO_LAYERS = {"Lambda"}
_OPERATIONS = {f"keras.src.ops.{module}" for module in ("linalg", "math", "nn", "numpy")}
_MODELS = {
    ("keras", "Sequential"), ("keras.models", "Sequential"),
    ("keras.models", "Functional"), ("keras.src.models.functional", "Functional"),
}  # fmt: skip
_POLICIES = {(module, "DTypePolicy") for module in ("keras", "keras.dtype_policies")}
_FUNCTIONS = {"builtins", "keras.activations"}
_NO_ACTIVATIONS = {"deserialize", "get", "serialize"}  # they make objects of what they are given
_PIECES = {
    "keras.initializers": keras.initializers.Initializer,
    "keras.regularizers": keras.regularizers.Regularizer,
    "keras.constraints": keras.constraints.Constraint,
    "keras.losses": keras.losses.Loss,
    "keras.metrics": keras.metrics.Metric,
    "keras.optimizers": keras.optimizers.Optimizer,
    "keras.optimizers.schedules": keras.optimizers.schedules.LearningRateSchedule,
}
# Layers of ours that a file may name without their being passed, as Keras registers them.
OWN = {"narrows>Transposed": Transposed}
_CONSTANTS = {"__numpy__", "__tensor__"}
_NUMBERS = {"bool", "int8", "int16", "int32", "int64", "uint8", "float16", "float32", "float64"}
_MARKS = {"__keras_tensor__", "__ellipsis__", "__slice__"}
# Metrics whose state is small whatever their configuration says: others take any number of
# thresholds or classes, and memory for them at once.
_SMALL_METRICS = (keras.metrics.Mean, keras.metrics.Sum, keras.metrics.R2Score)


def unknown_classes(config: Any, custom: Collection[str] = ()) -> list[str]:
    """Name the classes and functions in a Keras configuration that are not known."""
    found = {_full_name(entry) for entry in _entries(config) if not _is_known(entry, custom)}
    return sorted(found | _registered(as_passed(config, custom), custom))


def as_passed(config: Any, custom: Collection[str]) -> Any:
    """Return a configuration whose known entries Keras can find in one way only."""
    if isinstance(config, list):
        return [as_passed(value, custom) for value in config]
    if not isinstance(config, dict):
        return config
    found = {key: as_passed(value, custom) for key, value in config.items()}
    if "class_name" not in found or found["class_name"] in _MARKS | _CONSTANTS:
        return found
    if found["class_name"] == "function":
        theirs = isinstance(found.get("config"), str) and found["config"] in custom
        return found | ({"module": None} if theirs else {"registered_name": found.get("config")})
    if _is_keras(found):
        return found | {"registered_name": None}
    registered = found.get("registered_name")
    name = registered if registered in {*custom, *OWN} else found["class_name"]
    return found | {"module": None, "registered_name": name}


def may_be_custom(config: Any) -> bool:
    """Whether all unknown classes are someone's own, that is, none is a refused one of Keras."""
    return not any(
        _is_keras(entry) for entry in _entries(config) if not _is_known(entry, custom=())
    )


def without_compiling(config: Any) -> Any:
    """Return a configuration without what a model was compiled with: embeddings need none."""
    if isinstance(config, dict):
        return {k: without_compiling(v) for k, v in config.items() if k != "compile_config"}
    if isinstance(config, list):
        return [without_compiling(value) for value in config]
    return config


def _entries(config: Any) -> Iterator[dict]:
    """Every object of Keras in a configuration, at any depth."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _registered(config: Any, custom: Collection[str]) -> set[str]:
    """Texts that Keras would take for something that this session registered."""
    registered = {name for name in keras.saving.get_custom_objects() if ">" in name} - set(OWN)
    return (registered - set(custom)) & _texts(config) if registered else set()


def _texts(config: Any) -> set[str]:
    waiting, found = [config], set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str):
            found.add(value)
    return found


def _is_known(entry: dict, custom: Collection[str]) -> bool:
    name, module, inner = entry["class_name"], entry.get("module"), entry.get("config")
    registered = entry.get("registered_name")
    if not isinstance(name, str) or not isinstance(module, str | None):
        return False
    if name in _MARKS:
        return True
    if name in _CONSTANTS:
        return isinstance(inner, dict) and inner.get("dtype") in _NUMBERS
    if name == "function":
        known = module in _FUNCTIONS and isinstance(inner, str) and _is_activation(inner)
        return known or (isinstance(inner, str) and inner in custom)
    if not _is_keras(entry):
        own = OWN.get(registered) if isinstance(registered, str) else None
        if own is not None and own.__name__ == name:
            return True
        return name in custom or (isinstance(registered, str) and registered in custom)
    # A registered name would be looked up in place of the class.
    return registered in (None, name) and module is not None and _is_kerass_own(module, name)


def _is_kerass_own(module: str, name: str) -> bool:
    if (module, name) in _MODELS | _POLICIES:
        return True
    if module == "keras.layers":
        cls = getattr(keras.layers, name, None)
        if not isinstance(cls, type) or name in _NO_LAYERS:
            return False
        return cls.__module__.startswith(_LAYER_PACKAGES) or name in _MORE_LAYERS
    if module in _OPERATIONS:
        cls = getattr(sys.modules.get(module), name, None)
        return isinstance(cls, type) and issubclass(cls, keras.Operation)
    if module in _PIECES:
        space = keras
        for part in module.split(".")[1:]:
            space = getattr(space, part)
        cls = getattr(space, name, None)
        if module == "keras.metrics":
            return isinstance(cls, type) and issubclass(cls, _SMALL_METRICS)
        return isinstance(cls, type) and issubclass(cls, _PIECES[module])
    return False


def _is_activation(name: str) -> bool:
    function = getattr(keras.activations, name, None)
    return callable(function) and not isinstance(function, type) and name not in _NO_ACTIVATIONS


def _is_keras(entry: dict) -> bool:
    module, name = entry.get("module"), entry.get("class_name")
    return (
        not isinstance(name, str)
        or name.startswith("__")
        or (isinstance(module, str) and module.split(".")[0] == "keras")
    )


def _full_name(entry: dict) -> str:
    name = entry["class_name"]
    if name == "function":
        return f"{entry.get('config')}"
    return f"{entry.get('registered_name') or name}" if not _is_keras(entry) else f"{name}"
