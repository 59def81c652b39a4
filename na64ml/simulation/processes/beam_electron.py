"""Beam electrons that shower in the target, as most do."""

from typing import ClassVar

import numpy as np
from numpy.random import Generator

from na64ml.setups.sourced import NonNegative
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import BeamTrack, GeneratedEvents
from na64ml.simulation.particles import Particles
from na64ml.simulation.processes.base import Process

GAP = 1.0
"""Distance in mm upstream of the front face at which particles start."""


class BeamElectron(Process):
    """The beam particle enters the target and nothing else happens."""

    name: ClassVar[str] = "beam_electron"

    def generate(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        """Make beam particles at the front face."""
        track = beamline.particles(n_events, rng, end_z=beamline.front)
        return GeneratedEvents(track, at_front_face(track), np.ones(n_events))

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return one per particle on target."""
        return NonNegative(value=1.0, source="C: by definition")


def at_front_face(track: BeamTrack) -> Particles:
    """Return the beam particles just upstream of where they end."""
    return Particles.build(np.arange(len(track)), track.pdg, track.at(track.end_z - GAP), track.momentum)
