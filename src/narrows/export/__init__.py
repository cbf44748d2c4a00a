"""Files for programs that do without narrows: ONNX graphs with the preprocessing inside.

Why a converter of its own, when others exist: Keras writes ONNX through TensorFlow only, jax2onnx
brings flax, orbax and a model browser along, and skl2onnx scales in float32. What the networks here
are made of is a few dozen layers, each of them some lines of ONNX, and every file is compared with
narrows before it is written.
"""

from narrows.export._export import ExportReport, export_onnx

__all__ = ["ExportReport", "export_onnx"]
