"""Cross-sections of the radiation of dark bosons by electrons, e Z -> e Z A', at exact tree level.

Formulas and benchmarks of physics.md 4.1 [V-code], as in arXiv:1604.08432 and arXiv:1712.05706; natural units, GeV.
"""

from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.constants import alpha
from scipy.interpolate import RegularGridInterpolator

from na64ml.errors import ConfigError
from na64ml.simulation.particles import MEV, mass
from na64ml.yaml_files import StrictModel, load_model

Mediator = Literal["vector", "axial", "scalar", "pseudoscalar"]

Array = NDArray[np.float64]

PB = 3.894e8
"""One GeV^-2 in pb (physics.md 4.1)."""

Z_LEAD = 82

LEAD_A = 207.2
"""Molar mass of lead in g (physics.md 4.2)."""

_CATALOG = Path(__file__).parents[1] / "catalog"

_CLOSEST = 1.01
"""Smallest energy of the electron over the mass."""


class RatioTable(StrictModel):
    """Cross-section of the improved approximation over the exact tree level, by mass (MeV) and energy (GeV)."""

    source: str
    energies: tuple[float, ...]
    ratio: dict[Mediator, dict[float, tuple[float, ...]]]


@cache
def ratio_table() -> RatioTable:
    """Return the shipped table."""
    return load_model(RatioTable, _CATALOG / "etl_ratio.yaml")


def mass_range() -> tuple[float, float]:
    """Return the masses in GeV between which the table of exact tree-level cross-sections is known."""
    masses = list(ratio_table().ratio["vector"])
    return masses[0] * MEV, masses[-1] * MEV


def check_mass(boson: float) -> None:
    """Raise an error for a mass outside the table of exact tree-level cross-sections.

    Raises
    ------
    ConfigError
        If it is.
    """
    low, high = mass_range()
    if not low <= boson <= high:
        raise ConfigError(
            f"dark-boson mass {boson:g} GeV: outside the table of exact tree-level cross-sections, which covers "
            f"{low:g} to {high:g} GeV"
        )


def elastic_flux(t_min: ArrayLike, t_max: ArrayLike, z: float = Z_LEAD, a: float = LEAD_A) -> Array:
    """Return the elastic photon flux chi of a nucleus, the integral of (t - t_min) G(t) / t² from t_min to t_max.

    Squared momentum transfers t are in GeV². Closed form with the form factors of physics.md 4.1 [V-code]. The rational
    term holds t_max where other texts print t_min: only so is it the integral, and only so do the cross-sections meet
    the benchmarks.
    """
    t_min, t_max = np.asarray(t_min, dtype=np.float64), np.asarray(t_max, dtype=np.float64)
    atomic = (float(mass(11)) / (111 * z ** (-1 / 3))) ** 2
    nuclear = 0.164 * a ** (-2 / 3)
    rational = (atomic - nuclear) * (atomic + nuclear + 2 * t_max) * (t_max - t_min)
    rational = rational / ((atomic + t_max) * (nuclear + t_max))
    logarithm = np.log((atomic + t_max) * (nuclear + t_min) / ((nuclear + t_max) * (atomic + t_min)))
    total = rational + (atomic + nuclear + 2 * t_min) * logarithm
    return np.asarray(-(z**2) * nuclear**2 / (atomic - nuclear) ** 3 * total)


def cross_section(
    boson: float, energy: ArrayLike, kind: Mediator = "vector", z: float = Z_LEAD, a: float = LEAD_A
) -> Array:
    """Return the cross-section per atom in pb for a coupling of 1 in units of e, shaped as ``energy``.

    The improved Weizsaecker-Williams approximation in closed form (half of it for scalars and pseudoscalars) over the
    tabulated ratio K, which is interpolated in the logarithm of the mass and in energy, and is constant outside 20
    to 160 GeV. It meets the benchmarks of physics.md 4.1 to 0.4 %.

    Parameters
    ----------
    boson, energy
        Mass of the boson and energy of the electron in GeV; 0 where the mass is above the energy.

    Raises
    ------
    ConfigError
        If the mass is outside the table.
    """
    check_mass(boson)
    energy = np.asarray(energy, dtype=np.float64)
    usable = np.maximum(energy, _CLOSEST * boson)
    energies = ratio_table().energies
    k = _ratio(kind)((np.log(boson), np.clip(usable, energies[0], energies[-1])))
    spin = 1.0 if kind in ("vector", "axial") else 0.5
    return np.where(energy > _CLOSEST * boson, spin * _improved(boson, usable, z, a) / k, 0.0)


def _improved(boson: float, energy: Array, z: float, a: float) -> Array:
    """Return the improved Weizsaecker-Williams approximation in pb (physics.md 4.1)."""
    cut = np.maximum(float(mass(11)) / boson, boson / energy)
    flux = elastic_flux(boson**4 / (4 * energy**2), boson**2, z, a)
    factor = 4 / 3 * alpha**3 / boson**2 * PB
    return np.asarray(factor * flux * np.sqrt(1 - (boson / energy) ** 2) * np.log(1 / cut**2))


@cache
def _ratio(kind: Mediator) -> RegularGridInterpolator:
    rows = ratio_table().ratio[kind]
    place = (np.log(np.array(list(rows)) * MEV), np.array(ratio_table().energies))
    return RegularGridInterpolator(place, np.array(list(rows.values())))
