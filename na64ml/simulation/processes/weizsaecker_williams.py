"""Bremsstrahlung of dark photons, e Z -> e Z A', in the improved Weizsaecker-Williams approximation.

Formulas of physics.md 4.1 [V-code], as in arXiv:1604.08432 and arXiv:1712.05706; natural units, GeV.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.constants import alpha

from na64ml.errors import ConfigError
from na64ml.simulation.particles import mass
from na64ml.simulation.processes.sampling import cumulative

ETL_ENERGY = 100.0
ETL = {
    0.001: 2.124e5, 0.002: 9.128e4, 0.004: 3.507e4, 0.006: 1.908e4, 0.008: 1.216e4, 0.010: 8486.0, 0.020: 2621.0,
    0.030: 1258.0, 0.050: 467.0, 0.100: 106.0, 0.200: 20.7, 0.300: 7.37, 0.500: 1.80, 0.700: 0.645, 1.000: 0.192,
}  # fmt: skip
"""Exact tree-level cross-sections in lead by mass in GeV, in pb for a mixing of 1e-4 and electrons of `ETL_ENERGY` GeV
(physics.md 4.1 [V-code])."""

N_GRID = 4000


def etl_cross_section(dark_mass: float) -> float:
    """Return the tabulated cross-section in pb for a mixing of 1, interpolated in the logarithms.

    Raises
    ------
    ConfigError
        If the mass is outside the table.
    """
    masses = list(ETL)
    if not masses[0] <= dark_mass <= masses[-1]:
        raise ConfigError(
            f"dark-photon mass {dark_mass:g} GeV: outside the table of exact tree-level cross-sections, which covers "
            f"{masses[0]:g} to {masses[-1]:g} GeV"
        )
    # ln(sigma m²) varies slowly.
    scaled = [np.log(sigma * m**2) for m, sigma in ETL.items()]
    return float(np.exp(np.interp(np.log(dark_mass), np.log(masses), scaled)) / dark_mass**2 / 1e-8)


def flux(dark_mass: float, energy: float, z: float = 82.0, a: float = 207.0) -> float:
    """Return the elastic photon flux chi of a nucleus (physics.md 4.1)."""
    electron = float(mass(11))
    t_min, t_max = dark_mass**4 / (4 * energy**2), dark_mass**2
    t_a, t_d = (electron / (111 * z ** (-1 / 3))) ** 2, 0.164 * a ** (-2 / 3)
    common = t_a + t_d + 2 * t_min
    rational = (t_a - t_d) * common * (t_max - t_min) / ((t_a + t_max) * (t_d + t_max))
    logarithm = np.log(t_a + t_max) - np.log(t_d + t_max) - np.log(t_a + t_min) + np.log(t_d + t_min)
    return float(-(z**2) * t_d**2 / (t_a - t_d) ** 3 * (rational + common * logarithm))


def cross_section(dark_mass: float, energy: float) -> float:
    """Return the total cross-section in lead in pb, for a kinetic mixing of 1.

    The exact tree-level table, and the energy dependence of the improved Weizsaecker-Williams approximation.

    Parameters
    ----------
    dark_mass, energy
        Mass of the dark photon and energy of the electron in GeV.
    """
    if dark_mass >= energy:
        return 0.0
    return etl_cross_section(dark_mass) * _iww(dark_mass, energy) / _iww(dark_mass, ETL_ENERGY)


def _iww(dark_mass: float, energy: float) -> float:
    c = max(float(mass(11)) / dark_mass, dark_mass / energy)
    beta = np.sqrt(1 - dark_mass**2 / energy**2)
    return float(4 / 3 * alpha**3 * flux(dark_mass, energy) * beta * np.log(1 / c**2) / dark_mass**2)


def spectrum(dark_mass: float, energy: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return shares x = E_A' / E_e and the density dN/dx (not normalised) on a grid, dense where x is near 1."""
    electron, nucleus = float(mass(11)), 207.0 * 0.9315
    top = 1 - dark_mass**4 / (8 * energy**3 * nucleus) - electron / energy
    low = dark_mass / energy
    x = 1 - np.geomspace(1 - top, 1 - low, N_GRID)[::-1]
    u = -(dark_mass**2) * (1 - x) / x - electron**2 * x
    bracket = electron**2 * x * (-2 + 2 * x + x**2) - 2 * u * (3 - 3 * x + x**2)
    momentum = np.sqrt(np.clip(x**2 * energy**2 - dark_mass**2, 0, None))
    return x, np.clip(momentum * bracket / (3 * x * u**2), 0, None)


@cache
def _cumulative(dark_mass: float, energy: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x, density = spectrum(dark_mass, energy)
    return x, cumulative(x, density)


def draw_share(dark_mass: float, energy: float, uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return shares x of the spectrum for uniform random numbers."""
    x, total = _cumulative(dark_mass, energy)
    return np.interp(uniform, total, x)


def share_above(dark_mass: float, energy: float, threshold: float) -> float:
    """Return the share of dark photons with more than ``threshold`` GeV."""
    x, total = _cumulative(dark_mass, energy)
    return float(1 - np.interp(threshold / energy, x, total))
