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

PHOTONUCLEAR = {0.1: 2.3e-3, 0.2: 9.2e-4, 0.5: 1.7e-4, 0.8: 2.9e-5}
"""Photo-nuclear interactions in the ECAL per electron above a share of the beam energy (physics.md 3.3 [C])."""


class TargetElectroproduction(Process):
    """The electron gives part of its energy to hadrons inside the target.

    Parameters
    ----------
    transfer
        Energy transfer; ``hard`` and ``hard_fraction`` bias it.
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
        z = beamline.front + rng.uniform(*self.depth, n_events)
        hadrons = self.hadrons.generate(y * track.p, track.at(z), track.direction, rng)
        momentum = ((1 - y) * track.p)[:, None] * track.direction
        electron = Particles.build(np.arange(n_events), track.pdg, track.at(track.end_z - 1.0), momentum)
        return GeneratedEvents(track, join(electron, hadrons), weight, {"vertex_z": z})

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return interactions per electron in the range of the transfer."""
        return photonuclear_rate(self.transfer, beamline)


def photonuclear_rate(transfer: EnergyTransfer, beamline: Beamline) -> NonNegative:
    """Return photo-nuclear interactions per electron with a transfer in the range, interpolated in physics.md 3.3.

    The rates were computed for 100 GeV; as shares of the beam energy they hold for other energies.
    """
    share, rate = np.array(list(PHOTONUCLEAR)), np.log(list(PHOTONUCLEAR.values()))
    above = [
        np.exp(np.interp(np.log(y), np.log(share), rate)) if y < 0.9 else 0.0 for y in (transfer.low, transfer.high)
    ]
    return NonNegative(value=float(above[0] - above[1]), source="C: physics.md 3.3, photo-nuclear in the ECAL")
