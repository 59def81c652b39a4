"""Energy of the dark photons that electrons radiate, e Z -> e Z A', in the improved Weizsaecker-Williams approximation.

Formulas of physics.md 4.1 [V-code], as in arXiv:1604.08432 and arXiv:1712.05706; natural units, GeV.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64ml.simulation.particles import mass
from na64ml.simulation.processes.sampling import cumulative

N_GRID = 1500


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


@lru_cache(maxsize=4096)
def spectrum_integral(dark_mass: float, energy: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return shares x and the share of dark photons below each."""
    x, density = spectrum(dark_mass, energy)
    return x, cumulative(x, density)


def draw_share(
    dark_mass: float, energy: float, uniform: NDArray[np.float64], low: ArrayLike = 0.0, high: ArrayLike = 1.0
) -> NDArray[np.float64]:
    """Return shares x of the spectrum between ``low`` and ``high`` for uniform random numbers."""
    x, total = spectrum_integral(dark_mass, energy)
    first, last = (np.interp(np.asarray(limit), x, total) for limit in (low, high))
    return np.asarray(np.interp(first + uniform * (last - first), total, x))


def share_between(dark_mass: float, energy: float, low: float, high: float) -> float:
    """Return the share of dark photons with ``low`` to ``high`` GeV."""
    x, total = spectrum_integral(dark_mass, energy)
    first, last = np.interp([low / energy, high / energy], x, total)
    return float(last - first)
