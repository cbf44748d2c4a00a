"""One ONNX converter for each kind of layer."""
