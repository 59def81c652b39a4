"""Leading neutral hadrons made in the target, which may cross the hadron calorimeter unseen."""

from typing import ClassVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field

from na64ml.setups.sourced import NonNegative
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import GeneratedEvents
from na64ml.simulation.particles import Particles, join
from na64ml.simulation.processes.base import Process
from na64ml.simulation.processes.energy_transfer import EnergyTransfer
from na64ml.simulation.processes.hadron_system import HadronSystem
from na64ml.simulation.processes.photonuclear import photonuclear_rate, photonuclear_weight

LEADING_NEUTRAL = 0.20
"""Probability that the leading hadron is a neutron or K0L (physics.md 3.5 [M-L], 0.15-0.25)."""


class NeutralPunchThrough(Process):
    """The electron gives most of its energy to one neutral hadron in the first part of the target.

    Parameters
    ----------
    transfer
        Energy transfer, drawn as 1/y; weights make it the spectrum of photo-nuclear interactions.
    leading
        Smallest share of the transferred energy that the leading hadron takes; the share is drawn uniformly above, and
        weights make it the leading-particle spectrum.
    power
        n of the leading-particle spectrum (1 - x)^n (physics.md 3.5 [M-L], 1 to 3).
    hadrons
        Softer particles, and the species of the leading one.
    depth
        Depth in mm of the target in which the interaction is.
    """

    name: ClassVar[str] = "neutral_punch_through"
    transfer: EnergyTransfer = EnergyTransfer(low=0.5, high=0.97)
    leading: float = Field(default=0.78, gt=0, lt=1)
    power: float = Field(default=2.0, ge=0)
    hadrons: HadronSystem = HadronSystem(at_least_charged=0, charged=0.9, pi0=0.6, neutral=0.0)
    depth: tuple[float, float] = (20.0, 100.0)

    def generate(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        """Make interactions inside the target; the electron starts at its front face."""
        track = beamline.particles(n_events, rng, end_z=beamline.front)
        y, weight = self.transfer.draw(n_events, rng)
        z = beamline.front + rng.uniform(*self.depth, n_events)
        vertex, everything = track.at(z), np.arange(n_events)
        taken = y * track.p
        share = rng.uniform(self.leading, 1.0, n_events)
        weight = weight * photonuclear_weight(y, self.transfer) * self._leading_weight(share)
        soft = self.hadrons.generate((1 - share) * taken, vertex, track.direction, rng)
        alone = np.bincount(soft.event, minlength=n_events) == 0
        leader = self._leader(np.where(alone, taken, share * taken), vertex, track.direction, rng)
        electron = Particles.build(
            everything, track.pdg, track.at(track.end_z - 1.0), ((1 - y) * track.p)[:, None] * track.direction
        )
        return GeneratedEvents(track, join(electron, soft, leader), weight, {"vertex_z": z})

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return events per electron in the range of the transfer with such a leading neutral hadron."""
        value = photonuclear_rate(self.transfer).value * LEADING_NEUTRAL * (1 - self.leading) ** (self.power + 1)
        return NonNegative(value=value, source="C + M-L: physics.md 3.3 and 3.5, 0.2 leading neutrals, (1 - x)^n")

    def _leading_weight(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the density of (1 - x)^n above ``leading`` over the uniform one, ``[n]``."""
        return np.asarray((self.power + 1) * ((1 - share) / (1 - self.leading)) ** self.power)

    def _leader(
        self, energy: NDArray[np.float64], vertex: NDArray[np.float64], axis: NDArray[np.float64], rng: Generator
    ) -> Particles:
        species = self.hadrons.neutral_species(len(energy), rng)
        momentum, _ = self.hadrons.momenta(species, energy, axis, rng)
        return Particles.build(np.arange(len(energy)), species, vertex, momentum, secondary=True)
