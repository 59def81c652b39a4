"""What the beam hits: atoms per radiation length."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.constants import N_A

from na64ml.setups.materials import MATERIALS
from na64ml.simulation.particles import mass
from na64ml.simulation.processes.dark_photon import CM2_PER_PB, LEAD_A
from na64ml.simulation.processes.positron_annihilation import Z_LEAD

TargetName = Literal["Pb", "W"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Target:
    """An element.

    Parameters
    ----------
    z, a
        Atomic number and molar mass in g.
    radiation_length
        X0 in g/cm².
    """

    z: float
    a: float
    radiation_length: float

    @property
    def per_pb(self) -> float:
        """Reactions per X0 of track length and pb of cross-section per atom."""
        return N_A * self.radiation_length / self.a * CM2_PER_PB

    def flux(self, t_min: Array, t_max: Array) -> Array:
        """Return the elastic photon flux chi, the integral of (t - t_min) G(t) / t² from t_min to t_max in GeV².

        Closed form with the form factors of physics.md 4.1 [V-code]. The rational term holds t_max where physics.md
        prints t_min: only so is it the integral, and only so do the cross-sections meet the benchmarks.
        """
        atomic = (float(mass(11)) / (111 * self.z ** (-1 / 3))) ** 2
        nuclear = 0.164 * self.a ** (-2 / 3)
        rational = (atomic - nuclear) * (atomic + nuclear + 2 * t_max) * (t_max - t_min)
        rational = rational / ((atomic + t_max) * (nuclear + t_max))
        logarithm = np.log((atomic + t_max) * (nuclear + t_min) / ((nuclear + t_max) * (atomic + t_min)))
        total = rational + (atomic + nuclear + 2 * t_min) * logarithm
        return np.asarray(-(self.z**2) * nuclear**2 / (atomic - nuclear) ** 3 * total)


TARGETS: dict[TargetName, Target] = {
    "Pb": Target(Z_LEAD, LEAD_A, MATERIALS["Pb"].radiation_length),
    "W": Target(74, 183.84, MATERIALS["W"].radiation_length),
}
"""Lead of the ECAL and tungsten of the WCAL (PDG atomic properties)."""
