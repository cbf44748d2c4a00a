"""Layers that bring branches together."""

from collections.abc import Callable
from typing import Any

from narrows._keras import keras
from narrows.export._graph import Graph

_layers = keras.layers


def _of_one_rank(graph: Graph, names: list[str], shapes: list[tuple]) -> list[str]:
    """Give values of fewer axes further ones behind the batch's, as Keras does."""
    most = max(len(shape) for shape in shapes)
    found = []
    for name, shape in zip(names, shapes, strict=True):
        missing = most - len(shape)
        if missing:
            axes = graph.constant(list(range(1, missing + 1)), "int64")
            name = graph.add("Unsqueeze", name, axes)
        found.append(name)
    return found


def _pairwise(kind: str) -> Callable:
    def convert(graph: Graph, layer: Any, names: list[str], shapes: list[tuple]) -> str:
        first, *others = _of_one_rank(graph, names, shapes)
        for other in others:
            first = graph.add(kind, first, other)
        return first

    return convert


def _average(graph: Graph, layer: Any, names: list[str], shapes: list[tuple]) -> str:
    total = _pairwise("Add")(graph, layer, names, shapes)
    return graph.add("Div", total, graph.constant(len(names), "float32"))


def _concatenate(graph: Graph, layer: Any, names: list[str], shapes: list[tuple]) -> str:
    return graph.add("Concat", *names, axis=int(layer.axis))


LAYERS: dict[Any, Callable] = {
    _layers.Add: _pairwise("Add"),
    _layers.Average: _average,
    _layers.Concatenate: _concatenate,
    _layers.Maximum: _pairwise("Max"),
    _layers.Minimum: _pairwise("Min"),
    _layers.Multiply: _pairwise("Mul"),
    _layers.Subtract: _pairwise("Sub"),
}
