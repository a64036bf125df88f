"""Import an ONNX file: check its graph, describe what it takes and gives, run it once, and seal it."""
