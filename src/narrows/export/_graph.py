"""An ONNX graph that is put together node by node."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from narrows.export._io_spec import ROWS, Port

# onnxruntime reads these since 1.13; the newest of onnx itself would shut older readers out.
OPSET = 17
ML_OPSET = 2
IR_VERSION = 8
ML = "ai.onnx.ml"
LIMIT = 2**31 - 1  # bytes, of a file without external data

TYPES = {
    "float": TensorProto.FLOAT,
    "double": TensorProto.DOUBLE,
    "int64": TensorProto.INT64,
    "string": TensorProto.STRING,
    "float16": TensorProto.FLOAT16,
    "bool": TensorProto.BOOL,
}


class Graph:
    """Nodes and constants; every value has a name of its own.

    Parameters
    ----------
    taken : sequence of str
        Names of the graph's inputs and outputs.
    """

    def __init__(self, taken: Sequence[str] = ()):
        self.scope = ""
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._taken = set(taken)
        self._known: dict[tuple, str] = {}

    def add(
        self, kind: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: Any
    ) -> Any:
        """Put a node of an operator into the graph."""
        base = self._free(f"{self.scope}/{kind}" if self.scope else kind)
        names = [base] + [self._free(f"{base}:{place}") for place in range(1, outputs)]
        self._nodes.append(
            helper.make_node(kind, list(inputs), names, name=base, domain=domain, **attributes)
        )
        return names[0] if outputs == 1 else names

    def constant(self, value: Any, dtype: str | None = None) -> str:
        """Return the name of an array in the graph; equal ones are kept once."""
        array = np.asarray(value) if dtype is None else np.asarray(value, dtype)
        is_text = array.dtype == object
        content = b"" if is_text else hashlib.sha256(array.tobytes()).digest()
        key = (array.dtype.str, array.shape, content)
        if not is_text and key in self._known:
            return self._known[key]
        name = self._free(f"{self.scope}/constant" if self.scope else "constant")
        if is_text:
            encoded: Any = [str(text).encode() for text in array.ravel()]
            tensor = helper.make_tensor(name, TensorProto.STRING, array.shape, encoded)
        else:
            tensor = numpy_helper.from_array(np.ascontiguousarray(array).reshape(array.shape), name)
        self._constants.append(tensor)
        if not is_text:
            self._known[key] = name
        return name

    def cast(self, name: str, kind: str) -> str:
        """Return a value in another type, one of `TYPES`."""
        return self.add("Cast", name, to=TYPES[kind])

    def call(self, name: str, output: str) -> None:
        """Let a value be called as an output of the graph is."""
        self._nodes.append(helper.make_node("Identity", [name], [output], name=f"output/{output}"))

    def model(
        self, inputs: Sequence[Port], outputs: Sequence[Port], *, name: str, version: str
    ) -> Any:
        """Return the graph as a checked ``onnx.ModelProto``."""
        graph = helper.make_graph(
            self._nodes,
            name,
            [_information(port) for port in inputs],
            [_information(port) for port in outputs],
            self._constants,
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)],
            ir_version=IR_VERSION,
            producer_name="narrows",
            producer_version=version,
        )
        size = model.ByteSize()
        if size > LIMIT:
            raise ValueError(
                f"An ONNX file holds at most {LIMIT:,} bytes. The model takes {size:,}. Make its "
                "layers narrower."
            )
        onnx.checker.check_model(model, full_check=True)
        return model

    def _free(self, name: str) -> str:
        free, number = name, 2
        while free in self._taken:
            free, number = f"{name}_{number}", number + 1
        self._taken.add(free)
        return free


def _information(port: Port) -> Any:
    return helper.make_tensor_value_info(
        port.name, TYPES[port.type], [ROWS, *port.shape], doc_string=port.meaning
    )
