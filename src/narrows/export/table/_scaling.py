"""PCA and scikit-learn's scalers, in float64 as they compute themselves.

skl2onnx makes scalers of the ``Scaler`` operator, which gives float32: a column with a large mean
and a small spread loses its digits there.
"""

from typing import Any

import numpy as np
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from narrows.export._graph import Graph


def scale(graph: Graph, step: Any, x: str) -> str:
    """Return what a scaler makes of rows; float64 of shape (rows, columns), as `x`."""
    if isinstance(step, MinMaxScaler):
        x = _apply(graph, "Add", _apply(graph, "Mul", x, step.scale_), step.min_)
        if not step.clip:
            return x
        low, high = (graph.constant(float(end), "float64") for end in step.feature_range)
        # Not Clip, which lets no NaN through everywhere.
        return graph.add("Min", graph.add("Max", x, low), high)
    center, spread = _center_and_spread(step)
    return _apply(graph, "Div", _apply(graph, "Sub", x, center), spread)


def unscale(graph: Graph, step: Any, x: str) -> str:
    """Return the rows that scaled ones stand for."""
    if isinstance(step, MinMaxScaler):
        return _apply(graph, "Div", _apply(graph, "Sub", x, step.min_), step.scale_)
    center, spread = _center_and_spread(step)
    return _apply(graph, "Add", _apply(graph, "Mul", x, spread), center)


def project(graph: Graph, pca: Any, x: str) -> str:
    """Return the scores of rows."""
    scaled = _apply(graph, "Div", _apply(graph, "Sub", x, pca.mean_), _unless_ones(pca.scale_))
    return graph.add("MatMul", scaled, graph.constant(pca.components_.T, "float64"))


def unproject(graph: Graph, pca: Any, z: str) -> str:
    """Return the rows that scores stand for."""
    scaled = graph.add("MatMul", z, graph.constant(pca.components_, "float64"))
    return _apply(graph, "Add", _apply(graph, "Mul", scaled, _unless_ones(pca.scale_)), pca.mean_)


def _center_and_spread(step: Any) -> tuple[Any, Any]:
    if isinstance(step, StandardScaler):
        return step.mean_ if step.with_mean else None, step.scale_ if step.with_std else None
    return (
        step.center_ if step.with_centering else None,
        step.scale_ if step.with_scaling else None,
    )


def _unless_ones(values: np.ndarray) -> np.ndarray | None:
    return None if (values == 1).all() else values


def _apply(graph: Graph, kind: str, x: str, values: Any) -> str:
    return x if values is None else graph.add(kind, x, graph.constant(values, "float64"))
