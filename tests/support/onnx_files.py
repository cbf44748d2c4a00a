"""Run ONNX files and Keras graphs on the same rows."""

import numpy as np
import onnxruntime

from narrows._keras import keras

TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int64)": np.int64}


def session(path):
    """Open a file, or a model's bytes, as a server would."""
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def run(path, feeds):
    """Return the outputs of a file by name; arrays without a name are its only input."""
    opened = session(path)
    if not isinstance(feeds, dict):
        entry = opened.get_inputs()[0]
        feeds = {entry.name: np.asarray(feeds, TYPES[entry.type])}
    names = [output.name for output in opened.get_outputs()]
    return dict(zip(names, opened.run(None, feeds), strict=True))


def shuffled(model, seed=0):
    """Give a model random weights; variances and such stay positive."""
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        if "seed_generator" in variable.path:
            continue
        values = rng.normal(size=variable.shape) * 0.5
        variable.assign(np.abs(values) + 0.1 if "variance" in variable.path else values)
    return model


def converted(model):
    """Return a Keras model's graph, without preprocessing, as bytes of an ONNX file."""
    from narrows.export._graph import Graph
    from narrows.export._io_spec import Port
    from narrows.export._network import add_network, check_network

    check_network(model)
    ends = [
        Port(name, "float", tuple(tensor.shape[1:]))
        for name, tensor in (("rows", model.input), ("result", model.output))
    ]
    graph = Graph([port.name for port in ends])
    graph.call(add_network(graph, model, "rows"), "result")
    return graph.model(ends[:1], ends[1:], name="model", version="0").SerializeToString()


def largest_difference(model, x):
    """Return how far ONNX is from Keras, relative to the largest magnitude above 1."""
    wanted = keras.ops.convert_to_numpy(model(x, training=False))
    got = run(converted(model), x)["result"]
    assert got.shape == wanted.shape
    assert got.dtype == wanted.dtype == np.float32
    return float(np.abs(got - wanted).max() / max(1.0, np.abs(wanted).max()))


def graph_of(layers, shape):
    """Return layers one after another, with random weights."""
    x = inputs = keras.Input(shape)
    for layer in layers:
        x = layer(x)
    return shuffled(keras.Model(inputs, x))


def encoded(preprocessor, table):
    """Return what the graph of a fitted `TablePreprocessor` makes of a table's rows."""
    from narrows.export._graph import Graph
    from narrows.export._io_spec import Port, arrays_of, column_port, is_mixed
    from narrows.export.table import _forward

    encodings, names = preprocessor.encodings_, list(preprocessor._called())
    width = sum(len(one.names("")) for one in encodings)
    if is_mixed(encodings):
        ports = [column_port(*pair) for pair in zip(names, encodings, strict=True)]
        graph = Graph([*names, "block"])
        block = _forward.encode_columns(graph, encodings, names)
    else:
        ports = [Port("rows", "double", (len(names),), columns=tuple(names))]
        graph = Graph(["rows", "block"])
        block = _forward.encode_matrix(graph, encodings, "rows")
    graph.call(block, "block")
    end = Port("block", "double", (width,))
    model = graph.model(ports, [end], name="table", version="0")
    return run(model.SerializeToString(), arrays_of(ports, table))["block"]


def decoded(preprocessor, block):
    """Return the columns, as arrays by name, that the inverse graph makes of numbers."""
    from narrows.export._graph import Graph
    from narrows.export._io_spec import Port, column_port
    from narrows.export.table import _inverse

    encodings, names = preprocessor.encodings_, list(preprocessor._called())
    ports = [column_port(*pair) for pair in zip(names, encodings, strict=True)]
    graph = Graph([*names, "block"])
    columns = _inverse.decode_columns(graph, encodings, "block")
    for name, port in zip(columns, ports, strict=True):
        graph.call(name, port.name)
    start = Port("block", "double", (block.shape[1],))
    model = graph.model([start], ports, name="table", version="0")
    return run(model.SerializeToString(), {"block": block})


def as_sent(preprocessor, table):
    """Return a table's columns as they are sent to a file of a mixed table."""
    from narrows.export._io_spec import arrays_of, column_port

    pairs = zip(preprocessor._called(), preprocessor.encodings_, strict=True)
    return arrays_of([column_port(*pair) for pair in pairs], table)
