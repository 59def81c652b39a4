"""Dark photons and X17 that decay to e⁺e⁻ behind the dump."""

from typing import ClassVar

import numpy as np

from na64ml.errors import ConfigError
from na64ml.limits.models.base import Coupling, Place, Signal, SignalModel, radiated
from na64ml.limits.production.flight import decay_inside
from na64ml.limits.production.target import Array
from na64ml.simulation.particles import mass
from na64ml.simulation.processes.visible_decay import VisibleDecay


class VisibleDarkPhoton(SignalModel):
    """A' → e⁺e⁻ between the dump and the decay counters (physics.md 4.5; arXiv:1912.11389).

    Parameters
    ----------
    secondaries
        Whether the second generation of the shower radiates it as well.
    """

    coupling: ClassVar[Coupling] = Coupling("epsilon", r"$\epsilon$", low=1e-6, high=0.1)
    needs_flight: ClassVar[bool] = True
    secondaries: bool = True

    @property
    def masses(self) -> tuple[float, float]:
        """From above twice the electron mass to twice the muon mass, where another decay opens."""
        low, _ = super().masses
        return max(low, 2.2 * float(mass(11))), 2 * float(mass(13))

    def signal(self, masses: Array, place: Place) -> Signal:
        """Return bremsstrahlung in the dump and the probability to decay behind it."""
        flight = place.flight
        if flight is None:
            raise ConfigError(f"{type(self).__name__}: the period has no key 'flight'; give shield and region in mm")

        def fate(boson: float, energy: Array, coupling: Array) -> Array:
            length = VisibleDecay(dark_mass=boson, mixing=1.0).decay_length(energy) / coupling[:, None] ** 2
            return decay_inside(length, flight.shield.value, flight.region.value)

        return Signal((radiated("vector", masses, place, self.secondaries),), np.ones(len(masses)), fate)
