"""How large a stored network may become, checked before and while it is built.

A short file can ask for much: a layer of 10^12 units, models nested so that the innermost is called
2^30 times, an operation that makes a tensor at once. The bounds:

====================================================  ==========================================
weights of a network                                  as many numbers as the file holds (or a
                                                      million, so that small mistakes are named)
numbers in one tensor of the graph, for one row       2^27
objects in a configuration, once for every call       30,000
layers of one graph                                   1,000
====================================================  ==========================================

Importing this imports Keras.
"""

import contextlib
import functools
import math
import threading
from collections.abc import Iterable, Iterator
from typing import Any

from narrows._keras import keras

_SMALL = 1_000_000  # numbers; 4 MB
_ROW = 2**27  # numbers; 0.5 GB
_OBJECTS = 30_000
_LAYERS = 1_000


def check_graph(config: Any) -> None:
    """Raise ValueError for a configuration of a network that is too large, or computes at once."""
    count = _calls(config)
    if count > _OBJECTS:
        raise ValueError(
            f"its network has more than {_OBJECTS:,} objects, counted once for every call"
        )


@contextlib.contextmanager
def at_most(stored: int) -> Iterator[None]:
    """Stop layers that are built in the block before they take memory for more than is stored.

    Small networks are let through, so that what does not fit is named weight by weight later.
    Inside `deferred_initializers`, whose lock keeps our other threads from building meanwhile.
    """
    limit = max(stored, _SMALL)
    here = threading.get_ident()
    taken = 0

    def add_weight(original, self, *args, **kwargs):
        nonlocal taken
        shape = args[0] if args else kwargs.get("shape")
        shape = () if shape is None else tuple(shape) if hasattr(shape, "__iter__") else (shape,)
        taken += math.prod(shape)
        if taken > limit:
            raise ValueError(
                f"layer {self.name!r}: expected a weight of shape {shape}, file has "
                f"{stored:,} numbers for the whole network"
            )
        return original(self, *args, **kwargs)

    def call(original, self, *args, **kwargs):
        outputs = original(self, *args, **kwargs)
        for tensor in keras.tree.flatten(outputs):
            _check_row(self.name, getattr(tensor, "shape", ()))
        return outputs

    def build(original, self, *args, **kwargs):
        # Given statistics are spread over the axes that are kept, here and now.
        shape = args[0] if args else kwargs.get("input_shape")
        if shape is not None:
            _check_row(self.name, [shape[axis] for axis in self.axis], limit)
        return original(self, *args, **kwargs)

    def here_only(original, instead):
        @functools.wraps(original)  # Keras reads the signature
        def method(self, *args, **kwargs):
            if threading.get_ident() != here:  # somebody else's model
                return original(self, *args, **kwargs)
            return instead(original, self, *args, **kwargs)

        return method

    changed = [
        (keras.layers.Layer, "add_weight", add_weight),
        (keras.layers.Layer, "symbolic_call", call),
        (keras.Operation, "symbolic_call", call),
        (keras.layers.Normalization, "build", build),
    ]
    originals = [(owner, name, getattr(owner, name)) for owner, name, _ in changed]
    try:
        for (owner, name, original), (_, _, instead) in zip(originals, changed, strict=True):
            setattr(owner, name, here_only(original, instead))
        yield
    finally:
        for owner, name, original in originals:
            setattr(owner, name, original)


def _calls(value: Any) -> int:
    """Objects in a configuration, times the calls that the graphs around them make."""
    if isinstance(value, list):
        return sum(map(_calls, value))
    if not isinstance(value, dict):
        return 0
    nodes = value.get("inbound_nodes")
    count = sum(_calls(one) for key, one in value.items() if key != "inbound_nodes")
    if "class_name" not in value:
        return count + _calls(nodes)
    _check_layer(value)
    calls = 1
    if isinstance(nodes, list) and nodes:
        calls = len(nodes)
        if not all(_has_tensor(node) for node in nodes):
            raise ValueError(f"its {value['class_name']} is called on numbers, not on a tensor")
    twice = 2 if value["class_name"] == "Bidirectional" else 1
    return (1 + count) * calls * twice + _calls(nodes)


def _check_layer(entry: dict) -> None:
    config = entry.get("config")
    if not isinstance(config, dict):
        return
    layers = config.get("layers")
    if isinstance(layers, list) and len(layers) > _LAYERS:
        raise ValueError(f"its network has a graph of more than {_LAYERS:,} layers")
    for key in ("batch_shape", "batch_input_shape", "shape"):
        if isinstance(config.get(key), list):
            _check_row(str(entry["class_name"]), config[key])


def _has_tensor(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_has_tensor, value))
    if isinstance(value, dict):
        mark = value.get("class_name") == "__keras_tensor__"
        return mark or any(map(_has_tensor, value.values()))
    return False


def _check_row(name: str, shape: Iterable[Any], limit: int = _ROW) -> None:
    sizes = [size for size in shape if type(size) is int]
    if math.prod(sizes) > limit:
        raise ValueError(f"{name!r} makes {math.prod(sizes):,} numbers of a row, of shape {sizes}")
