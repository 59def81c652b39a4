"""Hadron electro- and photoproduction in the target: the diagonal E_ECAL + E_HCAL = E0."""

from typing import ClassVar

import numpy as np
from numpy.random import Generator

from na64ml.setups.sourced import NonNegative
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import GeneratedEvents
from na64ml.simulation.particles import Particles, join
from na64ml.simulation.processes.base import Process
from na64ml.simulation.processes.energy_transfer import EnergyTransfer
from na64ml.simulation.processes.hadron_system import HadronSystem
from na64ml.simulation.processes.photonuclear import photonuclear_rate, photonuclear_weight


class TargetElectroproduction(Process):
    """The electron gives part of its energy to hadrons inside the target.

    Parameters
    ----------
    transfer
        Energy transfer, drawn as 1/y; weights make it the spectrum of photo-nuclear interactions. ``hard`` and
        ``hard_fraction`` bias it further.
    hadrons
        How it is shared.
    depth
        Depth in mm of the target in which the interaction is.
    """

    name: ClassVar[str] = "target_electroproduction"
    transfer: EnergyTransfer = EnergyTransfer(low=0.1, high=0.97)
    hadrons: HadronSystem = HadronSystem()
    depth: tuple[float, float] = (0.0, 120.0)

    def generate(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        """Make interactions inside the target; the electron starts at its front face."""
        track = beamline.particles(n_events, rng, end_z=beamline.front)
        y, weight = self.transfer.draw(n_events, rng)
        weight = weight * photonuclear_weight(y, self.transfer)
        z = beamline.front + rng.uniform(*self.depth, n_events)
        hadrons = self.hadrons.generate(y * track.p, track.at(z), track.direction, rng)
        momentum = ((1 - y) * track.p)[:, None] * track.direction
        electron = Particles.build(np.arange(n_events), track.pdg, track.at(track.end_z - 1.0), momentum)
        return GeneratedEvents(track, join(electron, hadrons), weight, {"vertex_z": z})

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return interactions per electron in the range of the transfer."""
        return photonuclear_rate(self.transfer)
