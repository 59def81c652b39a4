"""The same limit in other variables: y of thermal dark matter, and the anomalous magnetic moments."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.constants import alpha
from scipy.integrate import quad

from na64ml.limits.production.target import Array
from na64ml.setups.sourced import Pair
from na64ml.simulation.particles import mass

Spin = Literal["vector", "scalar", "pseudoscalar"]

BANDS: dict[str, dict[str, Pair]] = {
    "delta_a_e": {
        "LKB": Pair(value=(4.8e-13, 3.0e-13), source="V-seed: physics.md 4.8"),
        "Berkeley": Pair(value=(-8.8e-13, 3.6e-13), source="V-seed: physics.md 4.8"),
    },
    "delta_a_mu": {
        "BNL + FNAL 2021": Pair(value=(2.51e-9, 0.59e-9), source="M-H: 2104.03281, against the 2020 theory value"),
    },
}
"""Measured minus calculated anomalous magnetic moments, with their uncertainty, by plane."""

THERMAL = {"pseudo-Dirac": 3e-13, "scalar": 1.3e-11}
"""y of the thermal target at m_χ = 10 MeV; it grows with the square (physics.md 4.6 [C, factor 2-3])."""

THERMAL_SOURCE = "C, factor 2-3: physics.md 4.6, electron channel only, m_χ / m_A' = 1/3"


@dataclass(frozen=True)
class DarkSector:
    """What the variable y needs: dark coupling and mass of χ over that of A'."""

    alpha_dark: float
    mass_ratio: float

    def y(self, mixing: float) -> float:
        """Return y = α_D ε² (m_χ / m_A')⁴ (physics.md 4.6 [V-seed])."""
        return self.alpha_dark * mixing**2 * self.mass_ratio**4


def thermal_target(kind: str, chi: Array) -> Array:
    """Return y of the thermal target for masses of χ in GeV (physics.md 4.6 [C, factor 2-3])."""
    return np.asarray(THERMAL[kind] * (chi / 0.010) ** 2)


def moment(spin: Spin, boson: float, pdg: int) -> float:
    """Return the one-loop contribution to the anomalous moment of a lepton, for a coupling of 1 in units of e.

    J. P. Leveille, Nucl. Phys. B 137 (1978) 63 [M-H]. For a massless vector it is α / (2 π).

    Parameters
    ----------
    boson
        Mass in GeV.
    pdg
        Number of the lepton.
    """
    squares = (boson / float(mass(pdg))) ** 2
    numerators: dict[Spin, Callable[[float], float]] = {
        "vector": lambda z: 2 * z * (1 - z) ** 2,
        "scalar": lambda z: (1 - z) ** 2 * (1 + z),
        "pseudoscalar": lambda z: -((1 - z) ** 3),
    }
    numerator = numerators[spin]

    def integrand(z: float) -> float:
        return numerator(z) / ((1 - z) ** 2 + z * squares)

    value, _ = quad(integrand, 0, 1, limit=200)
    return float(alpha / (2 * np.pi) * value)
