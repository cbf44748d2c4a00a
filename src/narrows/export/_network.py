"""From a Keras graph to ONNX nodes: the walk, and the table of layers that can be written."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from narrows._keras import keras
from narrows.export._graph import Graph
from narrows.export.layers import (
    _activations,
    _convolutions,
    _dense,
    _merging,
    _normalization,
    _operations,
    _pooling,
    _reshaping,
)

_FAMILIES: tuple[Any, ...] = (
    _dense, _activations, _normalization, _convolutions, _pooling, _reshaping, _merging,
)  # fmt: skip
# How a layer is written: ``(graph, layer, name, shape)`` of its input to the result's name; of
# merging layers, lists of both.
_CONVERTERS: dict[Any, Callable] = {
    kind: convert for family in _FAMILIES for kind, convert in family.LAYERS.items()
}
# Layers that do something in training only.
_PASSING = {
    getattr(keras.layers, name)
    for name in (
        "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise",
        "Identity", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
    )
}  # fmt: skip


@dataclass(frozen=True)
class Value:
    """A tensor of the Keras graph.

    Attributes
    ----------
    name : str
        What the ONNX graph calls it.
    shape : tuple of int or None
        With the batch axis first, None.
    """

    name: str
    shape: tuple


def check_network(model: keras.Model) -> None:
    """Raise ValueError if a layer cannot be written."""
    for operation in _operations_of(model):
        _check(operation)


def add_network(graph: Graph, model: keras.Model, x: str) -> str:
    """Put a model on a value of the graph; return the name of its output."""
    return keras.tree.flatten(_walk(graph, model, [Value(x, model.inputs[0].shape)]))[0].name


def _walk(graph: Graph, model: Any, inputs: Any) -> Any:
    # The same step as in `narrows.networks._build._replay`, with nodes in place of layers.
    def converted(operation):
        return lambda *args, **kwargs: _convert(graph, operation, args, kwargs)

    return model._run_through_graph(inputs, operation_fn=converted)


def _convert(graph: Graph, operation: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    inner = _graph_of(operation)
    if inner is not None:
        return _walk(graph, inner, args[0])
    if type(operation) in _PASSING:
        return args[0]
    graph.scope = operation.name
    spec = operation.compute_output_spec(
        *keras.tree.map_structure(_spec, args),
        **{k: keras.tree.map_structure(_spec, v) for k, v in kwargs.items()},
    )
    if isinstance(operation, keras.layers.Layer):
        given = keras.tree.flatten(args[0])
        convert = _CONVERTERS[type(operation)]
        if type(operation) in _merging.LAYERS:
            name = convert(graph, operation, [v.name for v in given], [v.shape for v in given])
        else:
            name = convert(graph, operation, given[0].name, given[0].shape)
    else:
        name = _operations.convert(graph, operation, args, kwargs, spec.shape)
    graph.scope = ""
    return Value(name, tuple(spec.shape))


def _spec(value: Any) -> Any:
    return keras.KerasTensor(value.shape) if isinstance(value, Value) else value


def _graph_of(operation: Any) -> Any:
    """Return the functional graph of a nested model; None for what is no model."""
    if isinstance(operation, keras.Sequential):
        return operation._functional
    return operation if hasattr(operation, "_run_through_graph") else None


def _operations_of(model: Any) -> Iterator[Any]:
    for operation in model.operations:
        inner = _graph_of(operation)
        if inner is not None:
            yield from _operations_of(inner)
        elif not isinstance(operation, keras.layers.InputLayer):
            yield operation


def _check(operation: Any) -> None:
    kind, name = type(operation), operation.name
    is_layer = isinstance(operation, keras.layers.Layer)
    if not is_layer:
        if not _operations.is_known(operation):
            raise ValueError(
                f"The operation {name!r} must be one that ONNX export knows: "
                f"{', '.join(_operations.known())}. Got {kind.__name__} instead. Use a layer."
            )
        return
    if kind not in _CONVERTERS and kind not in _PASSING:
        raise ValueError(
            f"The layer {name!r} must be one that ONNX export knows. Got the class {kind.__name__} "
            f"instead. Known are {', '.join(known_layers())}, and nested models of them."
        )
    computes = getattr(operation, "compute_dtype", "float32")
    if computes != "float32" or getattr(operation, "quantization_mode", None) is not None:
        raise ValueError(
            f"The layer {name!r} must compute in float32 to be exported. Its dtype policy is "
            f"{operation.dtype_policy.name!r}. Build the network with dtype='float32'."
        )
    activation = getattr(operation, "activation", None)
    if not _activations.is_known(activation):
        shown = getattr(activation, "__name__", type(activation).__name__)
        raise ValueError(
            f"The layer {name!r} must have an activation that ONNX export knows: "
            f"{', '.join(_activations.known())}. Got {shown!r} instead."
        )
    for reason in (getattr(family, "objection", lambda _: None)(operation) for family in _FAMILIES):
        if reason:
            raise ValueError(f"The layer {name!r} ({kind.__name__}) cannot be exported: {reason}.")


def known_layers() -> list[str]:
    """Return the names of the layer classes that can be written."""
    return sorted(kind.__name__ for kind in {*_CONVERTERS, *_PASSING})
