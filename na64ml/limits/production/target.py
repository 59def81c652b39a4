"""What the beam hits: atoms per radiation length."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.constants import N_A

from na64ml.setups.materials import MATERIALS
from na64ml.simulation.processes.dark_photon import CM2_PER_PB
from na64ml.simulation.processes.tree_level import LEAD_A, Z_LEAD, elastic_flux

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
        """Return the elastic photon flux, see `~na64ml.simulation.processes.tree_level.elastic_flux`."""
        return elastic_flux(t_min, t_max, self.z, self.a)


TARGETS: dict[TargetName, Target] = {
    "Pb": Target(Z_LEAD, LEAD_A, MATERIALS["Pb"].radiation_length),
    "W": Target(74, 183.84, MATERIALS["W"].radiation_length),
}
"""Lead of the ECAL and tungsten of the WCAL (PDG atomic properties)."""
