"""Layers that shift and scale."""

from collections.abc import Callable
from typing import Any

import numpy as np

from narrows._keras import keras
from narrows.export._graph import Graph
from narrows.export.layers._activations import number

_layers = keras.layers


def _numpy(value: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(value))


def _along(values: np.ndarray, axis: int, rank: int) -> np.ndarray:
    """Return one number for each place on an axis, in a shape that broadcasts to `rank` axes."""
    shape = [1] * rank
    shape[axis] = -1
    return values.reshape(shape)


def _scaled(graph: Graph, x: str, scale: Any, offset: Any) -> str:
    """Return ``x · scale + offset``; None leaves its part out."""
    for kind, value in (("Mul", scale), ("Add", offset)):
        if value is not None:
            x = graph.add(kind, x, graph.constant(value, "float32"))
    return x


def _batch(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    # In float32 and in this order, as keras.ops.batch_normalization.
    variance = _numpy(layer.moving_variance)
    factor = np.float32(1) / np.sqrt(variance + np.float32(layer.epsilon))
    if layer.scale:
        factor = factor * _numpy(layer.gamma)
    offset = -_numpy(layer.moving_mean) * factor
    if layer.center:
        offset = offset + _numpy(layer.beta)
    rank = len(shape)
    return _scaled(graph, x, _along(factor, layer.axis, rank), _along(offset, layer.axis, rank))


def _centered(graph: Graph, x: str, axes: list[int]) -> str:
    return graph.add("Sub", x, graph.add("ReduceMean", x, axes=axes, keepdims=1))


def _over_deviation(graph: Graph, x: str, centered: str, axes: list[int], epsilon: float) -> str:
    """Divide `x` by the square root of the mean square of `centered`, plus epsilon."""
    square = graph.add("Mul", centered, centered)
    variance = graph.add("ReduceMean", square, axes=axes, keepdims=1)
    deviation = graph.add("Sqrt", graph.add("Add", variance, number(graph, epsilon)))
    return graph.add("Div", x, deviation)


def _axes(layer: Any, rank: int) -> list[int]:
    axes = [layer.axis] if isinstance(layer.axis, int) else list(layer.axis)
    return sorted(int(axis) % rank for axis in axes)


def _weight_over(value: Any, axes: list[int], shape: tuple) -> np.ndarray | None:
    if value is None:
        return None
    return _numpy(value).reshape([shape[k] if k in axes else 1 for k in range(len(shape))])


def _layer(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    axes = _axes(layer, len(shape))
    centered = _centered(graph, x, axes)
    gamma, beta = (_weight_over(value, axes, shape) for value in (layer.gamma, layer.beta))
    if getattr(layer, "rms_scaling", False):  # Keras leaves the mean in, and beta out
        return _scaled(graph, _over_deviation(graph, x, centered, axes, layer.epsilon), gamma, None)
    normal = _over_deviation(graph, centered, centered, axes, layer.epsilon)
    return _scaled(graph, normal, gamma, beta)


def _root_mean_square(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    axes = _axes(layer, len(shape))
    normal = _over_deviation(graph, x, x, axes, layer.epsilon)
    return _scaled(graph, normal, _weight_over(layer.scale, axes, shape), None)


def _group(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    rank, axis = len(shape), layer.axis % len(shape)
    members = shape[axis] // layer.groups
    grouped = [*shape[1:axis], layer.groups, members, *shape[axis + 1 :]]
    y = graph.add("Reshape", x, graph.constant([0, *grouped], "int64"))
    axes = [k for k in range(1, rank + 1) if k != axis]
    centered = _centered(graph, y, axes)
    y = _over_deviation(graph, centered, centered, axes, layer.epsilon)
    y = graph.add("Reshape", y, graph.constant([0, *shape[1:]], "int64"))
    gamma, beta = (
        _along(_numpy(value), axis, rank) if used else None
        for value, used in ((layer.gamma, layer.scale), (layer.beta, layer.center))
    )
    return _scaled(graph, y, gamma, beta)


def _unit(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    axes = graph.constant(_axes(layer, len(shape)), "int64")
    total = graph.add("ReduceSum", graph.add("Mul", x, x), axes, keepdims=1)
    norm = graph.add("Max", graph.add("Sqrt", total), number(graph, 1e-12))
    return graph.add("Div", x, norm)


def _rescaling(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    scale, offset = (np.asarray(value, np.float32) for value in (layer.scale, layer.offset))
    return _scaled(graph, x, scale, offset if offset.any() else None)


def _fixed(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    mean, variance = _numpy(layer.mean), _numpy(layer.variance)
    deviation = np.maximum(np.sqrt(variance), keras.config.epsilon())
    if layer.invert:
        return _scaled(graph, x, deviation, mean)
    x = graph.add("Sub", x, graph.constant(mean, "float32"))
    return graph.add("Div", x, graph.constant(deviation, "float32"))


def objection(layer: Any) -> str | None:
    """Say why a layer cannot be written; None if it can."""
    if isinstance(layer, _layers.BatchNormalization) and getattr(layer, "renorm", False):
        return "batch renormalization is not known; use BatchNormalization without it"
    return None


LAYERS: dict[Any, Callable] = {
    _layers.BatchNormalization: _batch,
    _layers.GroupNormalization: _group,
    _layers.LayerNormalization: _layer,
    _layers.Normalization: _fixed,
    _layers.Rescaling: _rescaling,
    _layers.UnitNormalization: _unit,
}
if hasattr(_layers, "RMSNormalization"):  # since Keras 3.9
    LAYERS[_layers.RMSNormalization] = _root_mean_square
