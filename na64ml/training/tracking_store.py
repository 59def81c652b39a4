"""Where the tracking store of a run root is."""

from pathlib import Path

DATABASE = "mlflow.db"
ARTIFACTS = "artifacts"
EXPERIMENT = "na64ml"
"""Name of the experiment, unless another is configured."""


def tracking_uri(root: Path) -> str:
    """Return the address of the tracking store below ``root``."""
    return f"sqlite:///{root.resolve() / DATABASE}"


def artifact_location(root: Path, experiment: str = EXPERIMENT) -> str:
    """Return the address of the artifacts of an experiment below ``root``."""
    return (root.resolve() / ARTIFACTS / experiment).as_uri()
