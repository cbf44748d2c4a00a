"""Pooling, within windows and over everything."""

from collections.abc import Callable
from typing import Any

from narrows._keras import keras
from narrows.export._graph import Graph
from narrows.export.layers._convolutions import channels_back, channels_first, same_pads, space_of

_layers = keras.layers


def _tuple(value: Any, length: int) -> tuple[int, ...]:
    return (value,) * length if isinstance(value, int) else tuple(value)


def _windows(kind: str, **attributes: Any) -> Callable:
    def convert(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
        space = space_of(shape, layer.data_format)
        window = _tuple(layer.pool_size, len(space))
        strides = _tuple(layer.strides or layer.pool_size, len(space))
        pads = [0] * (2 * len(space))
        if layer.padding == "same":
            pads = same_pads(space, window, strides, (1,) * len(space))
        y = channels_first(graph, x, len(shape), layer.data_format)
        y = graph.add(
            kind, y, kernel_shape=list(window), strides=list(strides), pads=pads, **attributes
        )
        return channels_back(graph, y, len(shape), layer.data_format)

    return convert


def _everything(kind: str) -> Callable:
    def convert(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
        first = 2 if layer.data_format == "channels_first" else 1
        axes = list(range(first, first + len(shape) - 2))
        return graph.add(kind, x, axes=axes, keepdims=int(bool(layer.keepdims)))

    return convert


_LARGEST = _windows("MaxPool")
_MEAN = _windows("AveragePool", count_include_pad=0)
_LARGEST_OF_ALL = _everything("ReduceMax")
_MEAN_OF_ALL = _everything("ReduceMean")

LAYERS: dict[Any, Callable] = {
    _layers.AveragePooling1D: _MEAN,
    _layers.AveragePooling2D: _MEAN,
    _layers.AveragePooling3D: _MEAN,
    _layers.GlobalAveragePooling1D: _MEAN_OF_ALL,
    _layers.GlobalAveragePooling2D: _MEAN_OF_ALL,
    _layers.GlobalAveragePooling3D: _MEAN_OF_ALL,
    _layers.GlobalMaxPooling1D: _LARGEST_OF_ALL,
    _layers.GlobalMaxPooling2D: _LARGEST_OF_ALL,
    _layers.GlobalMaxPooling3D: _LARGEST_OF_ALL,
    _layers.MaxPooling1D: _LARGEST,
    _layers.MaxPooling2D: _LARGEST,
    _layers.MaxPooling3D: _LARGEST,
}
