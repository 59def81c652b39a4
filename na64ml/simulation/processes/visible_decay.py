"""Dark photons, X17 among them, that leave the dump and decay to e+ e- in front of the ECAL."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field
from scipy.constants import alpha

from na64ml.setups.sourced import NonNegative
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import GeneratedEvents
from na64ml.simulation.particles import Particles, join, mass
from na64ml.simulation.processes.alp import HBAR_C
from na64ml.simulation.processes.base import Process
from na64ml.simulation.processes.dark_photon import DarkPhoton
from na64ml.simulation.processes.decay_volume import decay_volume
from na64ml.simulation.processes.forced_decay import forced_decay
from na64ml.simulation.processes.two_body import decay_in_two


class VisibleDecay(Process):
    """Bremsstrahlung of a dark photon in the dump, and its forced decay to e+ e- behind it.

    Parameters
    ----------
    dark_mass, mixing
        Mass in GeV and kinetic mixing, which gives rate and lifetime.
    min_energy
        Smallest energy in GeV of the dark photon: DMG4 needs electrons above 18 GeV (physics.md 4.1 [V-code]).
    """

    name: ClassVar[str] = "visible_decay"
    dark_mass: float = Field(default=0.0167, gt=0.0011, le=1)
    mixing: float = Field(default=3e-4, gt=0)
    min_energy: float = Field(default=18.0, gt=0)

    def generate(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        """Make decays; the weight is the probability to fly from the emission to between dump and ECAL and decay."""
        region = decay_volume(beamline, self.name)
        emitted = self._emission.generate(n_events, beamline, rng)
        track, energy = emitted.track, emitted.truth["invisible_energy"]
        z, weight = forced_decay(emitted.truth["vertex_z"], self.decay_length(energy), region, rng)
        momentum = np.sqrt(np.clip(energy**2 - self.dark_mass**2, 0, None))[:, None] * track.direction
        pair = decay_in_two(self.dark_mass, float(mass(11)), float(mass(11)), momentum, rng)
        everything, vertex = np.arange(n_events), track.at(z)
        parts = [
            Particles.build(everything, pdg, vertex, one, secondary=True)
            for pdg, one in zip((11, -11), pair, strict=True)
        ]
        truth = {**emitted.truth, "invisible_energy": np.zeros(n_events), "vertex_z": z}
        return replace(emitted, particles=join(emitted.particles, *parts), weight=weight, truth=truth)

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return emissions per electron; the weights hold the probability of the decay."""
        decay_volume(beamline, self.name)
        return self._emission.rate(beamline)

    def decay_length(self, energy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean decay length (E / m) hbar c / Gamma in mm (physics.md 4.3, 4.5)."""
        r = float(mass(11)) / self.dark_mass
        width = alpha * self.mixing**2 * self.dark_mass / 3 * (1 + 2 * r**2) * np.sqrt(1 - 4 * r**2)
        return np.asarray(energy / self.dark_mass * HBAR_C / width)

    @property
    def _emission(self) -> DarkPhoton:
        return DarkPhoton(
            masses=(self.dark_mass,),
            emission="shower",
            min_electron=0.0,
            min_energy=self.min_energy,
            mixing=self.mixing,
        )
