"""A second beam particle on top of the events of any process."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field

from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import GeneratedEvents
from na64ml.simulation.processes.beam_electron import at_front_face
from na64ml.yaml_files import StrictModel


class PileUp(StrictModel):
    """Second beam particles at a random time.

    Parameters
    ----------
    probability
        Share of events with a second particle. At 1.35 MHz it is 0.027 within 10 ns and 0.10 within 40 ns of the
        first (physics.md 1.2 [C]).
    window
        Largest time offset in ns; offsets are uniform between its negative and positive value.
    """

    probability: float = Field(default=0.03, ge=0, le=1)
    window: float = Field(default=40.0, gt=0)

    def overlay(
        self, n_events: int, beamline: Beamline, rng: Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], GeneratedEvents]:
        """Return the events with a second particle, its time offset in ns, and those particles as events."""
        event = np.flatnonzero(rng.random(n_events) < self.probability)
        dt = rng.uniform(-self.window, self.window, len(event))
        track = beamline.particles(len(event), rng, end_z=beamline.front)
        return event, dt, GeneratedEvents(track, at_front_face(track), np.ones(len(event)))


def accidental_probability(rate: float, window: float) -> float:
    """Return the probability of a second particle within ``window`` ns before or after, at ``rate`` per s."""
    return float(1 - np.exp(-rate * 2e-9 * window))
