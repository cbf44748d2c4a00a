"""Operations that stand in a graph without a layer: ``x + y``, ``keras.ops.concatenate``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from narrows._keras import keras
from narrows.export._graph import Graph
from narrows.export.layers._activations import FUNCTIONS
from narrows.export.layers._reshaping import reshape

_PACKAGE = "keras.src.ops."
_BINARY = {
    "Add": "Add", "Subtract": "Sub", "Multiply": "Mul", "Divide": "Div", "TrueDivide": "Div",
    "Maximum": "Max", "Minimum": "Min", "Power": "Pow",
}  # fmt: skip
_UNARY = {
    "Absolute": "Abs", "Abs": "Abs", "Negative": "Neg", "Exp": "Exp", "Log": "Log",
    "Sqrt": "Sqrt", "Sigmoid": "Sigmoid", "Tanh": "Tanh", "Relu": "Relu", "Softplus": "Softplus",
    "Sin": "Sin", "Cos": "Cos",
}  # fmt: skip

_ACTIVATIONS = {
    "HardSigmoid": keras.activations.hard_sigmoid,
    "HardSilu": keras.activations.hard_silu,
    "HardTanh": keras.activations.hard_tanh,
    "LogSigmoid": keras.activations.log_sigmoid,
    "Relu6": keras.activations.relu6,
    "Selu": keras.activations.selu,
    "Silu": keras.activations.silu,
    "Softsign": keras.activations.softsign,
    "TanhShrink": keras.activations.tanh_shrink,
}


def is_known(operation: Any) -> bool:
    """Whether an operation can be written."""
    kind = type(operation)
    return kind.__module__.startswith(_PACKAGE) and kind.__name__ in _names()


def known() -> list[str]:
    """Return the operations' names."""
    return sorted(_names())


def convert(graph: Graph, operation: Any, args: tuple, kwargs: dict, shape: tuple) -> str:
    """Write an operation; return the name of its result, of shape `shape`."""
    name = type(operation).__name__
    given = [_name(graph, value) for value in keras.tree.flatten((args, kwargs))]
    if name in _BINARY:
        return graph.add(_BINARY[name], *given)
    if name in _UNARY:
        return graph.add(_UNARY[name], *given)
    if name in _ACTIVATIONS:
        return FUNCTIONS[_ACTIVATIONS[name]](graph, given[0])
    return _OTHERS[name](graph, operation, given, shape)


def _name(graph: Graph, value: Any) -> str:
    if hasattr(value, "name") and hasattr(value, "shape") and isinstance(value.name, str):
        return value.name
    return graph.constant(np.asarray(value, np.float32))


def _concatenate(graph: Graph, operation: Any, given: list[str], shape: tuple) -> str:
    return graph.add("Concat", *given, axis=int(operation.axis))


def _square(graph: Graph, operation: Any, given: list[str], shape: tuple) -> str:
    return graph.add("Mul", given[0], given[0])


def _reshape(graph: Graph, operation: Any, given: list[str], shape: tuple) -> str:
    return reshape(graph, given[0], [int(length) for length in shape[1:]])


def _softmax(graph: Graph, operation: Any, given: list[str], shape: tuple) -> str:
    return graph.add("Softmax", given[0], axis=int(operation.axis))


_OTHERS: dict[str, Callable] = {
    "Concatenate": _concatenate,
    "Reshape": _reshape,
    "Softmax": _softmax,
    "Square": _square,
}


def _names() -> set[str]:
    return {*_BINARY, *_UNARY, *_ACTIVATIONS, *_OTHERS}
