"""From a signal efficiency and a background expectation to limits on a model: yields, CLs limits, curves."""
