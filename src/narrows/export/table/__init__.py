"""A table's preprocessing in ONNX, forth and back."""
