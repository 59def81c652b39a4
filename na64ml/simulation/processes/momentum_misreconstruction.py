"""Beam electrons of low energy whose momentum the spectrometer measures as the nominal one."""

from typing import ClassVar

import numpy as np
from numpy.random import Generator

from na64ml.errors import ConfigError
from na64ml.setups.sourced import NonNegative
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import GeneratedEvents
from na64ml.simulation.processes.base import Process
from na64ml.simulation.processes.beam_electron import at_front_face

WRONG = 1e-3
"""Share of wrong momenta (physics.md 5.9 [C])."""

LOW = 1e-3
"""Share of beam particles with a low momentum: a placeholder, no source gives it (physics.md 1.2 [?])."""


class MomentumMisreconstruction(Process):
    """The momentum is wrong in the dangerous way; the SRD sees the radiation of the true energy.

    Parameters
    ----------
    momentum
        Range in GeV of the true momentum, uniform.
    """

    name: ClassVar[str] = "momentum_misreconstruction"
    momentum: tuple[float, float] = (10.0, 60.0)

    def generate(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        """Make electrons of low energy at the front face."""
        low, high = self.momentum
        if not 0 < low < high:
            raise ConfigError(f"{self.name}: momentum {low:g} to {high:g} GeV is no range; give a low and a high value")
        track = beamline.particles(n_events, rng, end_z=beamline.front)
        track.p[:] = rng.uniform(low, high, n_events)
        truth = {"momentum_forced": np.ones(n_events, dtype=np.bool_)}
        return GeneratedEvents(track, at_front_face(track), np.ones(n_events), truth)

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return such electrons per particle on target."""
        return NonNegative(value=WRONG * LOW, source="? + C: physics.md 5.9 tails of 1e-3, low-energy share not known")
