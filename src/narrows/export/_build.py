"""A model's two graphs: rows to embedding, and embedding to rows."""

from dataclasses import dataclass
from typing import Any

from narrows.data import TablePreprocessor
from narrows.export._graph import Graph
from narrows.export._io_spec import Port
from narrows.export._model import Chain
from narrows.export.table import _forward, _inverse, _scaling


@dataclass(frozen=True)
class Part:
    """A graph with its ends.

    Attributes
    ----------
    graph : Graph
    inputs, outputs : list of Port
    inner : Port or None
        Of a decoder with preprocessing: the reconstruction before it is taken back.
    """

    graph: Graph
    inputs: list[Port]
    outputs: list[Port]
    inner: Port | None = None


def encoder_part(chain: Chain, *, labels: bool = False) -> Part:
    """Return preprocessing and encoder as one graph, maybe with what predicts the labels."""
    inputs, outputs = chain.table_ports(), [chain.embedding_port()]
    if labels:
        outputs.append(chain.label_port())
    output = outputs[0]
    graph = Graph([port.name for port in (*inputs, *outputs)])
    steps = list(chain.preprocessing)
    x = inputs[0].name
    if chain.mixed:
        x = _forward.encode_columns(graph, steps.pop(0).encodings_, [port.name for port in inputs])
    for step in steps:
        if isinstance(step, TablePreprocessor):
            x = _forward.encode_matrix(graph, step.encodings_, x)
        else:
            x = _scaling.scale(graph, step, x)
    rank = len(chain.row_shape) if not chain.preprocessing else 1
    if chain.is_network:
        x = graph.cast(x, "float") if chain.preprocessing else x
        z = _network(graph, chain.embedder.encoder_, x)
    else:
        z = _scaling.project(graph, chain.embedder, x)
    z = _refused(graph, x, rank, z, 1)
    graph.call(z, output.name)
    if labels:
        graph.call(_predicted(graph, chain.embedder, z), outputs[1].name)
    return Part(graph, inputs, outputs)


def _predicted(graph: Graph, embedder: Any, z: str) -> str:
    """Return what the linear model of the labels makes of the embedding, in float64."""
    kernel = graph.constant(embedder.label_coef_.T, "float64")
    bias = graph.constant(embedder.label_intercept_, "float64")
    found = graph.add("Add", graph.add("MatMul", graph.cast(z, "double"), kernel), bias)
    return found if embedder.label_classes_ is None else graph.add("Softmax", found, axis=1)


def decoder_part(chain: Chain) -> Part:
    """Return decoder and inverse preprocessing as one graph."""
    given, outputs = chain.embedding_port(), chain.table_ports()
    taken = [given.name, *(port.name for port in outputs)]
    graph = Graph([*taken, _INNER])
    if chain.is_network:
        x = _network(graph, chain.embedder.decoder_, given.name)
        shape = tuple(chain.embedder.decoder_.output.shape[1:])
    else:
        x = _scaling.unproject(graph, chain.embedder, given.name)
        shape = (int(chain.embedder.n_features_in_),)
    x = _refused(graph, given.name, 1, x, len(shape))
    if not chain.preprocessing:
        graph.call(x, outputs[0].name)
        return Part(graph, [given], outputs)
    inner = Port(_INNER, given.type, shape)
    graph.call(x, inner.name)
    x = graph.cast(x, "double") if chain.is_network else x
    for step in reversed(chain.preprocessing[chain.mixed :]):
        if isinstance(step, TablePreprocessor):
            x = _inverse.decode_matrix(graph, step.encodings_, x)
        else:
            x = _scaling.unscale(graph, step, x)
    if chain.mixed:
        columns = _inverse.decode_columns(graph, chain.preprocessing[0].encodings_, x)
    else:
        columns = [x]
    for name, port in zip(columns, outputs, strict=True):
        graph.call(name, port.name)
    return Part(graph, [given], outputs, inner)


_INNER = "narrows/reconstruction"  # before the inverse preprocessing; an output in the check only


def _network(graph: Graph, model: Any, x: str) -> str:
    from narrows.export._network import add_network, check_network

    check_network(model)
    return add_network(graph, model, x)


def _refused(graph: Graph, x: str, rank: int, result: str, result_rank: int) -> str:
    """Let rows with NaN or infinity in `x` have NaN in every number of their result.

    narrows refuses such rows. A relu would make ordinary numbers of them in some runtimes.
    """
    zero = graph.add("Sub", x, x)  # NaN where x is not finite
    axes = graph.constant(list(range(1, rank + 1)), "int64")
    total = graph.add("ReduceSum", zero, axes, keepdims=0)
    behind = graph.constant(list(range(1, result_rank + 1)), "int64")
    return graph.add("Add", result, graph.add("Unsqueeze", total, behind))
