"""ONNX files: networks from elsewhere come in, ours go out; needs the extra `onnx`."""
