"""Networks that classify events and can be exported to ONNX."""
