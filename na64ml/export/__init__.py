"""Exporting networks to ONNX, with a parity check."""
