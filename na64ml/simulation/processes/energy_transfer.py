"""Energy transfers distributed as 1/y, and their bias towards large ones."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, model_validator

from na64ml.yaml_files import StrictModel


class EnergyTransfer(StrictModel):
    """Share y of the beam energy that an interaction takes, dN/dy = 1/y (equivalent photons, physics.md 3.3).

    Parameters
    ----------
    low, high
        Range of y.
    hard, hard_fraction
        A share ``hard_fraction`` of the events is drawn with y above ``hard`` (the dangerous corner), all others over
        the whole range; weights undo it.
    """

    low: float = Field(gt=0, lt=1)
    high: float = Field(gt=0, le=1)
    hard: float | None = None
    hard_fraction: float = Field(default=0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _in_order(self) -> "EnergyTransfer":
        if not self.low < self.high or (self.hard is not None and not self.low < self.hard < self.high):
            raise ValueError(f"low < hard < high is needed, found {self.low}, {self.hard}, {self.high}")
        return self

    def draw(self, n_events: int, rng: Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return y and weights, ``[n_events]``."""
        start = np.full(n_events, self.low)
        if self.hard is None or self.hard_fraction == 0:
            return start * (self.high / start) ** rng.random(n_events), np.ones(n_events)
        start[rng.random(n_events) < self.hard_fraction] = self.hard
        y = start * (self.high / start) ** rng.random(n_events)
        # Density drawn from over nature's: the mixture 1 - f + f ln(high/low) / ln(high/hard) above ``hard``.
        boost = self.hard_fraction * np.log(self.high / self.low) / np.log(self.high / self.hard)
        return y, 1 / (1 - self.hard_fraction + np.where(y > self.hard, boost, 0.0))
