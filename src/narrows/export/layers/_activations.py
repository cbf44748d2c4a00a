"""Keras's activations, as functions and as layers."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from narrows._keras import keras
from narrows.export._graph import Graph

_functions = keras.activations
_layers = keras.layers


def activate(graph: Graph, x: str, activation: Any) -> str:
    """Return what an activation, a function or a layer of Keras's, makes of a value."""
    if activation is None or activation is _functions.linear:
        return x
    if isinstance(activation, keras.layers.Layer):
        return LAYERS[type(activation)](graph, activation, x, ())
    return FUNCTIONS[activation](graph, x)


def is_known(activation: Any) -> bool:
    """Whether `activate` can take it."""
    if isinstance(activation, keras.layers.Layer):
        return type(activation) in LAYERS and is_known(getattr(activation, "activation", None))
    return activation is None or activation in FUNCTIONS


def known() -> list[str]:
    """Return the functions' names."""
    return sorted(function.__name__ for function in FUNCTIONS)


def number(graph: Graph, value: float) -> str:
    """Return the name of a float32 constant."""
    return graph.constant(value, "float32")


def relu(
    graph: Graph, x: str, negative_slope: float = 0.0, max_value: Any = None, threshold: float = 0.0
) -> str:
    """Return relu with Keras's three extras."""
    if negative_slope and max_value is None and not threshold:
        return graph.add("LeakyRelu", x, alpha=float(negative_slope))
    if threshold:
        limit = number(graph, threshold)
        above = graph.add("Greater", x, limit)
        result = graph.add("Where", above, x, number(graph, 0.0))
    else:
        result = graph.add("Relu", x)
    if max_value is not None:
        result = graph.add("Clip", result, number(graph, 0.0), number(graph, float(max_value)))
    if not negative_slope:
        return result
    below = graph.add("Relu", graph.add("Sub", number(graph, threshold), x))
    return graph.add("Sub", result, graph.add("Mul", below, number(graph, float(negative_slope))))


def softmax(graph: Graph, x: str, axis: Any = -1) -> str:
    """Return the softmax along an axis, or over several."""
    axes = [axis] if isinstance(axis, int) else list(axis)
    if len(axes) == 1:
        return graph.add("Softmax", x, axis=int(axes[0]))
    total = graph.add("ReduceLogSumExp", x, axes=[int(one) for one in axes], keepdims=1)
    return graph.add("Exp", graph.add("Sub", x, total))


def _op(kind: str, **attributes: Any) -> Callable:
    return lambda graph, x: graph.add(kind, x, **attributes)


def _clip(low: float, high: float) -> Callable:
    return lambda graph, x: graph.add("Clip", x, number(graph, low), number(graph, high))


def _gelu(graph: Graph, x: str) -> str:
    # x/2 · (1 + erf(x/√2)); Hendrycks and Gimpel 2016, arXiv:1606.08415.
    inner = graph.add("Erf", graph.add("Mul", x, number(graph, math.sqrt(0.5))))
    half = graph.add("Mul", x, number(graph, 0.5))
    return graph.add("Mul", half, graph.add("Add", inner, number(graph, 1.0)))


def _times(inner: Callable) -> Callable:
    return lambda graph, x: graph.add("Mul", x, inner(graph, x))


def _log_sigmoid(graph: Graph, x: str) -> str:
    return graph.add("Neg", graph.add("Softplus", graph.add("Neg", x)))


def _squareplus(graph: Graph, x: str) -> str:
    # (x + √(x² + 4)) / 2; Barron 2021, arXiv:2112.11687.
    root = graph.add("Sqrt", graph.add("Add", graph.add("Mul", x, x), number(graph, 4.0)))
    return graph.add("Mul", graph.add("Add", x, root), number(graph, 0.5))


def _sparse_plus(graph: Graph, x: str) -> str:
    # (x + 1)²/4 between −1 and 1, relu outside.
    shifted = _clip(0.0, 2.0)(graph, graph.add("Add", x, number(graph, 1.0)))
    square = graph.add("Mul", graph.add("Mul", shifted, shifted), number(graph, 0.25))
    beyond = graph.add("Relu", graph.add("Sub", x, number(graph, 1.0)))
    return graph.add("Add", square, beyond)


def _sparse_sigmoid(graph: Graph, x: str) -> str:
    shifted = graph.add("Add", x, number(graph, 1.0))
    return graph.add("Mul", _clip(0.0, 2.0)(graph, shifted), number(graph, 0.5))


# Not here: glu, which halves a width that Keras's layers take for unchanged, and sparsemax, which
# in Keras 3.15 is not its paper's projection (it adds up the cumulative sums of the support).
FUNCTIONS: dict[Any, Callable] = {
    _functions.celu: _op("Celu"),
    _functions.elu: _op("Elu"),
    _functions.exponential: _op("Exp"),
    _functions.gelu: _gelu,
    _functions.hard_shrink: _op("Shrink", lambd=0.5, bias=0.0),
    _functions.hard_sigmoid: _op("HardSigmoid", alpha=1 / 6, beta=0.5),
    _functions.hard_silu: _times(_op("HardSigmoid", alpha=1 / 6, beta=0.5)),
    _functions.hard_tanh: _clip(-1.0, 1.0),
    _functions.leaky_relu: _op("LeakyRelu", alpha=0.2),
    _functions.linear: lambda graph, x: x,
    _functions.log_sigmoid: _log_sigmoid,
    _functions.log_softmax: _op("LogSoftmax", axis=-1),
    _functions.mish: _times(lambda graph, x: graph.add("Tanh", graph.add("Softplus", x))),
    _functions.relu: relu,
    _functions.relu6: _clip(0.0, 6.0),
    _functions.selu: _op("Selu"),
    _functions.sigmoid: _op("Sigmoid"),
    _functions.silu: _times(_op("Sigmoid")),
    _functions.soft_shrink: _op("Shrink", lambd=0.5, bias=0.5),
    _functions.softmax: softmax,
    _functions.softplus: _op("Softplus"),
    _functions.softsign: _op("Softsign"),
    _functions.sparse_plus: _sparse_plus,
    _functions.sparse_sigmoid: _sparse_sigmoid,
    _functions.squareplus: _squareplus,
    _functions.tanh: _op("Tanh"),
    _functions.tanh_shrink: lambda graph, x: graph.add("Sub", x, graph.add("Tanh", x)),
}


def _prelu(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    return graph.add("PRelu", x, graph.constant(np.asarray(layer.alpha.value), "float32"))


LAYERS: dict[Any, Callable] = {
    _layers.Activation: lambda graph, layer, x, shape: activate(graph, x, layer.activation),
    _layers.ELU: lambda graph, layer, x, shape: graph.add("Elu", x, alpha=float(layer.alpha)),
    _layers.LeakyReLU: lambda graph, layer, x, shape: graph.add(
        "LeakyRelu", x, alpha=float(layer.negative_slope)
    ),
    _layers.PReLU: _prelu,
    _layers.ReLU: lambda graph, layer, x, shape: relu(
        graph, x, float(layer.negative_slope), layer.max_value, float(layer.threshold)
    ),
    _layers.Softmax: lambda graph, layer, x, shape: softmax(graph, x, layer.axis),
}
