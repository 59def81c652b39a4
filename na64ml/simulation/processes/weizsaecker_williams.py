"""Bremsstrahlung of dark photons, e Z -> e Z A', in the improved Weizsaecker-Williams approximation.

Formulas of physics.md 4.1 [V-code], as in arXiv:1604.08432 and arXiv:1712.05706; natural units, GeV.
"""

from functools import cache, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import alpha

from na64ml.errors import ConfigError
from na64ml.simulation.particles import mass
from na64ml.simulation.processes.sampling import cumulative

ETL = {
    0.001: 2.124e5, 0.002: 9.128e4, 0.004: 3.507e4, 0.006: 1.908e4, 0.008: 1.216e4, 0.010: 8486.0, 0.020: 2621.0,
    0.030: 1258.0, 0.050: 467.0, 0.100: 106.0, 0.200: 20.7, 0.300: 7.37, 0.500: 1.80, 0.700: 0.645, 1.000: 0.192,
}  # fmt: skip
"""Exact tree-level cross-sections in lead by mass in GeV, in pb for a mixing of 1e-4 and electrons of `ETL_ENERGY` GeV
(physics.md 4.1 [V-code])."""

ETL_ENERGY = 100.0

ETL_ELSEWHERE = {
    80.0: {
        0.010: 8449.0, 0.020: 2589.0, 0.050: 449.6, 0.100: 99.7, 0.200: 19.0, 0.300: 6.65, 0.500: 1.57, 1.000: 0.153,
    },
    60.0: {
        0.001: 2.12e5, 0.010: 8390.0, 0.020: 2541.0, 0.050: 425.5, 0.100: 91.6, 0.200: 16.9, 0.300: 5.76, 0.500: 1.29,
        1.000: 0.111,
    },
}  # fmt: skip
"""The same at other energies (physics.md 4.1 [V-code]); 3643 pb for 16.7 MeV at 150 GeV is left for the test."""

ETL_RANGE = 60.0, 150.0
"""Energies in GeV covered by the tabulated cross-sections."""

PB = 3.894e8
"""One GeV^-2 in pb (physics.md 4.1)."""

BENCHMARK_MIXING = 1e-4

N_GRID = 1500


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

    The improved Weizsaecker-Williams approximation over `correction`.

    Parameters
    ----------
    dark_mass, energy
        Mass of the dark photon and energy of the electron in GeV.

    Raises
    ------
    ConfigError
        If the mass is outside the table of exact tree-level cross-sections.
    """
    check_mass(dark_mass)
    if dark_mass >= energy:
        return 0.0
    return _iww(dark_mass, energy) / correction(dark_mass, energy)


def check_mass(dark_mass: float) -> None:
    """Raise an error for a mass outside the table of exact tree-level cross-sections.

    Raises
    ------
    ConfigError
        If it is.
    """
    low, high = min(ETL), max(ETL)
    if not low <= dark_mass <= high:
        raise ConfigError(
            f"dark-photon mass {dark_mass:g} GeV: outside the table of exact tree-level cross-sections, which covers "
            f"{low:g} to {high:g} GeV"
        )


def correction(dark_mass: float, energy: float) -> float:
    """Return K = sigma_IWW / sigma_ETL, ln K = ln K(m, 100 GeV) + s(m) x.

    At 100 GeV ln K is interpolated in ln m between the tabulated masses. The slope s of ln K in x = ln(E / 100 GeV) is
    the least-squares one of the tabulated 80 and 60 GeV, also interpolated in ln m; it leaves at most 1.5 % to the
    table. Outside 60 to 150 GeV x goes on with the same slope and saturates a factor of two in energy further on, as
    ln 2 tanh(ln(E / E_edge) / ln 2): smooth, and K stays within 1.4 of its value at the edge.
    """
    at_100, slopes = _corrections()
    inside = float(np.clip(energy, *ETL_RANGE))
    beyond = np.log(2) * np.tanh(np.log(energy / inside) / np.log(2))
    x = np.log(inside / ETL_ENERGY) + beyond
    m = np.log(dark_mass)
    return float(np.exp(np.interp(m, *at_100) + np.interp(m, *slopes) * x))


@cache
def _corrections() -> tuple[tuple[list[float], list[float]], tuple[list[float], list[float]]]:
    """Return ln m and ln K at 100 GeV, and ln m and the slope of ln K in ln E."""

    def log_k(m: float, e: float, picobarn: float) -> float:
        return float(np.log(_iww(m, e) * BENCHMARK_MIXING**2 / picobarn))

    at_100 = {m: log_k(m, ETL_ENERGY, sigma) for m, sigma in ETL.items()}
    slopes = {}
    for m in ETL_ELSEWHERE[60.0]:
        known = [(e, column[m]) for e, column in ETL_ELSEWHERE.items() if m in column]
        x = np.log([e / ETL_ENERGY for e, _ in known])
        y = np.array([log_k(m, *point) - at_100[m] for point in known])
        slopes[m] = float(x @ y / (x @ x))
    table, points = (([float(np.log(m)) for m in part], list(part.values())) for part in (at_100, slopes))
    return table, points


def _iww(dark_mass: float, energy: float) -> float:
    c = max(float(mass(11)) / dark_mass, dark_mass / energy)
    beta = np.sqrt(1 - dark_mass**2 / energy**2)
    flux_factor = flux(dark_mass, energy) * beta * np.log(1 / c**2)
    return float(4 / 3 * alpha**3 * flux_factor / dark_mass**2 * PB)


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
