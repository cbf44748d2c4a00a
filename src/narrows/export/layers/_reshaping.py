"""Layers that move, repeat, add and cut numbers."""

from collections.abc import Callable
from typing import Any

from narrows._keras import keras
from narrows.export._graph import Graph
from narrows.export.layers._convolutions import channels_back, channels_first

_layers = keras.layers


def reshape(graph: Graph, x: str, row_shape: Any) -> str:
    """Give each row another shape."""
    # 0 is "as it was": the number of rows stays free, and may be zero.
    return graph.add("Reshape", x, graph.constant([0, *row_shape], "int64"))


def _size(shape: Any) -> int:
    size = 1
    for length in shape:
        size *= int(length)
    return size


def _flatten(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    if layer.data_format == "channels_first" and len(shape) > 1:
        x = graph.add("Transpose", x, perm=[0, *range(2, len(shape)), 1])
    return reshape(graph, x, [_size(shape[1:])])


def _reshape(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    target = list(layer.target_shape)
    if -1 in target:
        place = target.index(-1)
        known = _size([one for one in target if one != -1])
        target[place] = _size(shape[1:]) // known
    return reshape(graph, x, target)


def _permute(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    return graph.add("Transpose", x, perm=[0, *layer.dims])


def _repeat_vector(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    wide = graph.add("Unsqueeze", x, graph.constant([1], "int64"))
    return graph.add("Tile", wide, graph.constant([1, layer.n, 1], "int64"))


def _pairs(value: Any) -> list[tuple[int, int]]:
    """Return (begin, end) for each axis of space; of 1D layers Keras keeps one pair."""
    pairs = value if isinstance(value[0], tuple | list) else (value,)
    return [(int(begin), int(end)) for begin, end in pairs]


def _first_axis(layer: Any) -> int:
    return 2 if getattr(layer, "data_format", None) == "channels_first" else 1


def _pad(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    begins, ends = [0] * len(shape), [0] * len(shape)
    for axis, (begin, end) in enumerate(_pairs(layer.padding), _first_axis(layer)):
        begins[axis], ends[axis] = begin, end
    return graph.add("Pad", x, graph.constant([*begins, *ends], "int64"), mode="constant")


def _crop(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    axes, starts, stops = [], [], []
    for axis, (begin, end) in enumerate(_pairs(layer.cropping), _first_axis(layer)):
        axes.append(axis)
        starts.append(begin)
        stops.append(int(shape[axis]) - end)
    return graph.add("Slice", x, *(graph.constant(part, "int64") for part in (starts, stops, axes)))


# The interpolation of `jax.image.resize`, on which Keras's enlargement rests.
_INTERPOLATIONS: dict[str, dict[str, Any]] = {
    "nearest": {
        "mode": "nearest",
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
    },
    "bilinear": {"mode": "linear", "coordinate_transformation_mode": "half_pixel"},
    "bicubic": {
        "mode": "cubic",
        "coordinate_transformation_mode": "half_pixel",
        "cubic_coeff_a": -0.5,
        "exclude_outside": 1,
    },
}


def _enlarge(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    size = (layer.size,) if isinstance(layer.size, int) else tuple(layer.size)
    data_format = getattr(layer, "data_format", "channels_last")
    interpolation = getattr(layer, "interpolation", "nearest")
    y = channels_first(graph, x, len(shape), data_format)
    scales = graph.constant([1, 1, *size], "float32")
    y = graph.add("Resize", y, "", scales, **_INTERPOLATIONS[interpolation])
    return channels_back(graph, y, len(shape), data_format)


def objection(layer: Any) -> str | None:
    """Say why a layer cannot be written; None if it can."""
    interpolation = getattr(layer, "interpolation", "nearest")
    if isinstance(layer, _layers.UpSampling2D) and interpolation not in _INTERPOLATIONS:
        return (
            f"its interpolation must be one of {', '.join(_INTERPOLATIONS)}, and is "
            f"{interpolation!r}"
        )
    return None


LAYERS: dict[Any, Callable] = {
    _layers.Cropping1D: _crop,
    _layers.Cropping2D: _crop,
    _layers.Cropping3D: _crop,
    _layers.Flatten: _flatten,
    _layers.Permute: _permute,
    _layers.RepeatVector: _repeat_vector,
    _layers.Reshape: _reshape,
    _layers.UpSampling1D: _enlarge,
    _layers.UpSampling2D: _enlarge,
    _layers.UpSampling3D: _enlarge,
    _layers.ZeroPadding1D: _pad,
    _layers.ZeroPadding2D: _pad,
    _layers.ZeroPadding3D: _pad,
}
