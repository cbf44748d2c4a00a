"""Convolutions. Keras has channels last, ONNX first: runtimes cancel the transposes in between."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from narrows._keras import keras
from narrows.export._graph import Graph
from narrows.export.layers._activations import activate

_layers = keras.layers


def channels_first(graph: Graph, x: str, rank: int, data_format: str) -> str:
    """Move channels behind the batch axis."""
    if data_format == "channels_first":
        return x
    return graph.add("Transpose", x, perm=[0, rank - 1, *range(1, rank - 1)])


def channels_back(graph: Graph, x: str, rank: int, data_format: str) -> str:
    """Undo `channels_first`."""
    if data_format == "channels_first":
        return x
    return graph.add("Transpose", x, perm=[0, *range(2, rank), 1])


def space_of(shape: tuple, data_format: str) -> tuple[int, ...]:
    """Return height, width and so on of a shape with batch and channels."""
    return tuple(shape[2:] if data_format == "channels_first" else shape[1:-1])


def same_pads(
    space: Sequence[int], window: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> list[int]:
    """Return how much "same" adds at each beginning, then at each end.

    As much as makes ⌈size / stride⌉ places, the larger half at the end.
    """
    begins, ends = [], []
    for size, length, stride, step in zip(space, window, strides, dilation, strict=True):
        places = math.ceil(size / stride)
        total = max((places - 1) * stride + (length - 1) * step + 1 - size, 0)
        begins.append(total // 2)
        ends.append(total - total // 2)
    return [*begins, *ends]


def _pads(layer: Any, space: tuple[int, ...]) -> list[int]:
    if layer.padding == "same":
        return same_pads(space, layer.kernel_size, layer.strides, layer.dilation_rate)
    if layer.padding == "causal":
        return [layer.dilation_rate[0] * (layer.kernel_size[0] - 1), 0]
    return [0] * (2 * len(space))


def _numpy(value: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(value))


def _convolve(
    graph: Graph, layer: Any, x: str, kernel: np.ndarray, pads: list[int], groups: int, bias: Any
) -> str:
    """Convolve channels first, with a kernel of shape (filters, channels / groups, *window)."""
    inputs = [x, graph.constant(kernel, "float32")]
    if bias is not None:
        inputs.append(graph.constant(_numpy(bias), "float32"))
    return graph.add(
        "Conv", *inputs, kernel_shape=list(kernel.shape[2:]), strides=list(layer.strides),
        pads=pads, dilations=list(layer.dilation_rate), group=groups,
    )  # fmt: skip


def _outputs_first(kernel: np.ndarray) -> np.ndarray:
    """From Keras's (*window, channels, filters) to (filters, channels, *window)."""
    return np.moveaxis(kernel, (-1, -2), (0, 1))


def _by_channel(kernel: np.ndarray) -> np.ndarray:
    """From (*window, channels, multiplier) to a filter for each channel and multiple."""
    moved = np.moveaxis(kernel, (-2, -1), (0, 1))
    return moved.reshape(-1, 1, *kernel.shape[:-2])


def _plain(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    y = channels_first(graph, x, len(shape), layer.data_format)
    pads = _pads(layer, space_of(shape, layer.data_format))
    kernel = _outputs_first(_numpy(layer.kernel))
    y = _convolve(graph, layer, y, kernel, pads, layer.groups, layer.bias)
    return activate(graph, channels_back(graph, y, len(shape), layer.data_format), layer.activation)


def _depthwise(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    y = channels_first(graph, x, len(shape), layer.data_format)
    pads = _pads(layer, space_of(shape, layer.data_format))
    kernel = _numpy(layer.kernel)
    y = _convolve(graph, layer, y, _by_channel(kernel), pads, kernel.shape[-2], layer.bias)
    return activate(graph, channels_back(graph, y, len(shape), layer.data_format), layer.activation)


def _separable(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    y = channels_first(graph, x, len(shape), layer.data_format)
    pads = _pads(layer, space_of(shape, layer.data_format))
    depthwise = _numpy(layer.depthwise_kernel)
    y = _convolve(graph, layer, y, _by_channel(depthwise), pads, depthwise.shape[-2], None)
    inputs = [y, graph.constant(_outputs_first(_numpy(layer.pointwise_kernel)), "float32")]
    if layer.bias is not None:
        inputs.append(graph.constant(_numpy(layer.bias), "float32"))
    y = graph.add("Conv", *inputs)
    return activate(graph, channels_back(graph, y, len(shape), layer.data_format), layer.activation)


def _transposed_pads(layer: Any) -> tuple[list[int], list[int]]:
    """Return what ONNX cuts off the full transposed convolution, and what it adds at the ends.

    The full one has (size − 1) · stride + window places. Keras's "valid" keeps them all and
    makes up for windows shorter than the stride; "same" keeps size · stride of them, with JAX's
    choice of where to cut, or as many as `output_padding` says.
    """
    begins, ends = [], []
    padding = layer.output_padding
    for axis, (length, stride, step) in enumerate(
        zip(layer.kernel_size, layer.strides, layer.dilation_rate, strict=True)
    ):
        window = (length - 1) * step + 1
        extra = padding if padding is None or isinstance(padding, int) else padding[axis]
        if layer.padding == "valid":
            before, after = 0, -(max(stride - window, 0) if extra is None else extra)
        else:
            around = stride + window - 2 if extra is None else window + window % 2 - 2 + extra
            left = min(around // 2 + around % 2, window - 1)
            before, after = window - 1 - left, window - 1 - (around - left)
        begins.append(before)
        ends.append(after)
    cut = [*begins, *(max(end, 0) for end in ends)]
    return cut, [max(-end, 0) for end in ends]


def _transposed(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    y = channels_first(graph, x, len(shape), layer.data_format)
    kernel = _outputs_first(_numpy(layer.kernel))  # Keras's last axis is the input's here
    pads, added = _transposed_pads(layer)
    inputs = [y, graph.constant(kernel, "float32")]
    if layer.bias is not None:
        inputs.append(graph.constant(_numpy(layer.bias), "float32"))
    y = graph.add(
        "ConvTranspose", *inputs, kernel_shape=list(kernel.shape[2:]), strides=list(layer.strides),
        pads=pads, output_padding=added, dilations=list(layer.dilation_rate),
    )  # fmt: skip
    return activate(graph, channels_back(graph, y, len(shape), layer.data_format), layer.activation)


LAYERS: dict[Any, Callable] = {
    _layers.Conv1D: _plain,
    _layers.Conv1DTranspose: _transposed,
    _layers.Conv2D: _plain,
    _layers.Conv2DTranspose: _transposed,
    _layers.Conv3D: _plain,
    _layers.Conv3DTranspose: _transposed,
    _layers.DepthwiseConv1D: _depthwise,
    _layers.DepthwiseConv2D: _depthwise,
    _layers.SeparableConv1D: _separable,
    _layers.SeparableConv2D: _separable,
}
