"""Bremsstrahlung of dark bosons by electrons and positrons of a shower, with exact tree-level cross-sections."""

from functools import cache
from pathlib import Path

import numpy as np
from scipy.constants import alpha
from scipy.interpolate import RegularGridInterpolator

from na64ml.limits.production.emission import Emission, energy_edges, histogram
from na64ml.limits.production.mediators import Mediator, density, share_grid
from na64ml.limits.production.showers import shower
from na64ml.limits.production.target import TARGETS, Array, Target, TargetName
from na64ml.simulation.particles import MEV, mass
from na64ml.simulation.processes.weizsaecker_williams import PB
from na64ml.yaml_files import StrictModel, load_model

CATALOG = Path(__file__).parents[1] / "catalog"

GEV_PER_GRAM = 0.93149410242
"""Atomic mass unit in GeV (CODATA)."""

LEAD = TARGETS["Pb"]

N_SHARES = 300
N_SHOWER_BINS_JOINED = 4


class RatioTable(StrictModel):
    """Cross-section of the improved approximation over the exact tree level, by mass (MeV) and energy (GeV)."""

    source: str
    energies: tuple[float, ...]
    ratio: dict[Mediator, dict[float, tuple[float, ...]]]


@cache
def ratio_table() -> RatioTable:
    """Return the shipped table."""
    return load_model(RatioTable, CATALOG / "etl_ratio.yaml")


def mass_range() -> tuple[float, float]:
    """Return the masses in GeV between which the table of exact tree-level cross-sections is known."""
    masses = list(ratio_table().ratio["vector"])
    return masses[0] * MEV, masses[-1] * MEV


@cache
def _ratio(kind: Mediator) -> RegularGridInterpolator:
    rows = ratio_table().ratio[kind]
    place = (np.log(np.array(list(rows)) * MEV), np.array(ratio_table().energies))
    return RegularGridInterpolator(place, np.array(list(rows.values())))


def cross_section(kind: Mediator, boson: float, energy: Array, target: Target = LEAD) -> Array:
    """Return the exact tree-level cross-section per atom in pb for a coupling of 1 in units of e, ``[n]``.

    The closed form of physics.md 4.1 [V-code] (half of it for scalars and pseudoscalars) over the tabulated ratio K,
    which is interpolated in the logarithm of the mass and in energy, and is constant outside 20 to 160 GeV.
    It meets the benchmarks of physics.md 4.1 to 0.4 %.

    Parameters
    ----------
    boson, energy
        Mass of the boson and energy of the electron in GeV; 0 where the mass is above the energy.
    """
    electron = float(mass(11))
    energy = np.asarray(energy, dtype=np.float64)
    usable = np.maximum(energy, 1.01 * boson)
    closed = target.flux(boson**4 / (4 * usable**2), np.full_like(usable, boson**2))
    cut = np.maximum(electron / boson, boson / usable)
    closed = closed * np.sqrt(1 - (boson / usable) ** 2) * np.log(1 / cut**2) * 4 / 3 * alpha**3 / boson**2 * PB
    energies = ratio_table().energies
    k = _ratio(kind)((np.log(boson), np.clip(usable, energies[0], energies[-1])))
    spin = 1.0 if kind in ("vector", "axial") else 0.5
    return np.where(energy > 1.01 * boson, spin * closed / k, 0.0)


def bremsstrahlung(
    kind: Mediator, masses: Array, beam: float, target: TargetName, secondaries: bool, lowest: float
) -> Emission:
    """Return the dark bosons that a shower radiates, for a coupling of 1 in units of e (physics.md 4.2).

    Parameters
    ----------
    masses
        In GeV, ``[n_masses]``.
    beam
        Energy of the beam electron or positron in GeV.
    secondaries
        Whether the second generation of electrons and positrons radiates as well.
    lowest
        Energy in GeV below which dark bosons do not matter.
    """
    made, material, edges = shower(beam), TARGETS[target], energy_edges(beam, 0.9 * lowest)
    lengths = made.electrons(secondaries).reshape(-1, N_SHOWER_BINS_JOINED).sum(axis=1)
    energy = made.energy.reshape(-1, N_SHOWER_BINS_JOINED).mean(axis=1)
    used = energy > edges[0]
    energy, lengths = energy[used], lengths[used]
    rates = []
    for boson in masses:
        weight = lengths * cross_section(kind, boson, energy, material) * material.per_pb
        logarithm, x = share_grid(boson, float(mass(11)), energy, material.a * GEV_PER_GRAM, N_SHARES)
        spectrum = density(kind, boson, float(mass(11)), energy, x)
        rates.append(histogram(x, logarithm, spectrum, weight, energy, edges))
    centres = np.broadcast_to((edges[1:] + edges[:-1]) / 2, (len(masses), len(edges) - 1))
    return Emission("bremsstrahlung", centres, np.array(rates))
