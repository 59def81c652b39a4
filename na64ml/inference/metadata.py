"""What a network file says about itself."""

from typing import Any

from pydantic import Field

from na64ml.events.contract import Contract
from na64ml.yaml_files import StrictModel

PROPERTY = "na64ml"
"""Name of the metadata property of the ONNX file."""

SCHEMA = 1

VARIABLES = "variables"
"""Name of the input that boosted trees have: analysis variables, its columns."""


class Tensor(StrictModel):
    """One input or output: columns with their units."""

    name: str
    dtype: str
    shape: tuple[str | int, ...]
    columns: dict[str, str] = Field(default_factory=dict)


class WorkingPoint(StrictModel):
    """A named score threshold; efficiencies are relative to all generated events of a class.

    ``efficiency`` maps each class to ``(value, lower, upper)`` with the confidence level of ``interval``; it counts
    events by their weight if ``weighted``, else all alike.
    """

    name: str
    threshold: float
    efficiency: dict[str, tuple[float, float, float]]
    interval: str
    weighted: bool = True


class ModelMetadata(StrictModel):
    """Contents of the metadata property, as JSON.

    Parameters
    ----------
    inputs, outputs
        Tensors in order.
    detectors
        Names in the order of the detector ids.
    hit_cap, truncation_rule
        Largest number of hits per event, and what happens beyond.
    contracts
        Event contracts the network was validated for.
    classes, background_fractions
        Signal first; shares of the backgrounds in the score.
    working_points
        Named thresholds.
    temperature
        By which the graph divides the logits before they become probabilities, from ``na64ml calibrate``, 1 without.
        None in files that do not say it.
    weights_hash
        Hash of the network (class, sizes, inputs, weights), the same for files that differ in working points only.
    conditions_hash, data_hash, layout, mode, split, run_id
        Provenance of the training.
    """

    schema_version: int = SCHEMA
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    detectors: tuple[str, ...]
    hit_cap: int
    truncation_rule: str
    contracts: tuple[Contract, ...] = Field(min_length=1)
    classes: tuple[str, ...]
    background_fractions: dict[str, float]
    working_points: tuple[WorkingPoint, ...] = ()
    temperature: float | None = None
    weights_hash: str
    conditions_hash: str
    data_hash: str
    layout: str
    mode: str
    split: dict[str, Any]
    run_id: str | None
    code: dict[str, str]
    licence: str = "MIT"

    @property
    def variables(self) -> tuple[str, ...]:
        """Analysis variables that are an input, in the order of its columns; networks have none."""
        return next((tuple(tensor.columns) for tensor in self.inputs if tensor.name == VARIABLES), ())

    @property
    def thresholds(self) -> dict[str, float]:
        """Score threshold of each working point."""
        return {point.name: point.threshold for point in self.working_points}
