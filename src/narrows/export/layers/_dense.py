"""Matrix products."""

from collections.abc import Callable
from typing import Any

from narrows._keras import keras
from narrows.export._graph import Graph
from narrows.export.layers._activations import activate
from narrows.networks import Transposed


def weight(graph: Graph, variable: Any) -> str:
    """Return the name of a weight in the graph."""
    return graph.constant(keras.ops.convert_to_numpy(variable), "float32")


def biased(graph: Graph, layer: Any, x: str, bias: Any = None) -> str:
    """Add a layer's bias, if it has one, and apply its activation."""
    bias = layer.bias if bias is None else bias
    if bias is not None:
        values = keras.ops.convert_to_numpy(bias)
        x = graph.add("Add", x, graph.constant(values, "float32"))
    return activate(graph, x, layer.activation)


def _dense(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    kernel = weight(graph, layer.kernel)
    if len(shape) == 2 and layer.bias is not None:
        # One node for product and bias, which runtimes have a faster routine for.
        return activate(
            graph, graph.add("Gemm", x, kernel, weight(graph, layer.bias)), layer.activation
        )
    return biased(graph, layer, graph.add("MatMul", x, kernel))


def _transposed(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    kernel = weight(graph, layer.kernel)  # the one array of the layer that it is tied to
    if len(shape) == 2:
        bias = [] if layer.bias is None else [weight(graph, layer.bias)]
        return activate(graph, graph.add("Gemm", x, kernel, *bias, transB=1), layer.activation)
    return biased(graph, layer, graph.add("MatMul", x, graph.add("Transpose", kernel, perm=[1, 0])))


def _einsum(graph: Graph, layer: Any, x: str, shape: tuple) -> str:
    kernel = weight(graph, layer.kernel)
    return biased(graph, layer, graph.add("Einsum", x, kernel, equation=layer.equation))


LAYERS: dict[Any, Callable] = {
    keras.layers.Dense: _dense,
    keras.layers.EinsumDense: _einsum,
    Transposed: _transposed,
}
