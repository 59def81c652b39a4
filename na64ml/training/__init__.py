"""Training with Lightning, tracked with MLflow."""
