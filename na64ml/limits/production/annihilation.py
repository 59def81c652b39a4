"""Resonant annihilation of shower positrons with atomic electrons (physics.md 4.3)."""

import numpy as np

from na64ml.limits.production.emission import Emission
from na64ml.limits.production.showers import Shower, shower
from na64ml.limits.production.target import TARGETS, Array, TargetName
from na64ml.simulation.particles import mass
from na64ml.simulation.processes.positron_annihilation import PositronAnnihilation, resonance_energy
from na64ml.simulation.processes.tree_level import PB

N_ENERGIES, N_EVEN = 1001, 801

LEAST = 1e-12
"""Track length per GeV in X0 that stands for none in the last bin, below any that matters."""


def annihilation(
    masses: Array, beam: float, positrons: bool, target: TargetName, template: PositronAnnihilation
) -> Emission:
    """Return dark photons from e⁺e⁻ → A' → χχ per beam particle, for a mixing of 1.

    Energies follow the Breit-Wigner shape, so that wide and narrow resonances are integrated alike, with even ones
    between them for the flank far from the peak.

    Parameters
    ----------
    masses
        In GeV, ``[n_masses]``.
    beam
        Energy of the beam particle in GeV.
    positrons
        Whether the beam consists of positrons; otherwise only those of the shower annihilate.
    template
        Coupling, mass ratio and spin of χ.
    """
    made, material = shower(beam), TARGETS[target]
    angle = np.linspace(-np.pi / 2, np.pi / 2, N_ENERGIES + 2)[1:-1]
    energies, rates = [], []
    for boson in masses:
        process = template.model_copy(update={"dark_mass": float(boson), "mixing": 1.0})
        half = _half_width(process)
        resonant = np.clip(resonance_energy(float(boson)) + half * np.tan(angle), made.energy[0], beam)
        energy = np.sort(np.concatenate([resonant, np.linspace(made.energy[0], beam, N_EVEN)]))
        steps = np.diff(energy, prepend=energy[0]) + np.diff(energy, append=energy[-1])
        per_gev, sigma = positron_density(made, positrons, energy), process.cross_section(energy)
        energies.append(energy)
        rates.append(material.z * material.per_pb * sigma * per_gev * steps / 2)
    return Emission("annihilation", np.array(energies), np.array(rates))


def narrow_annihilation(
    masses: Array, beam: float, positrons: bool, target: TargetName, width: Array, invisible: Array
) -> Emission:
    """Return bosons from e⁺e⁻ → boson → invisible in the limit of a narrow resonance, for a coupling of 1.

    The integral of the Breit-Wigner cross-section over the positron energy is 6 π² Γ(ee) BR / (m m_e) (PDG review
    "Cross-section formulae", with s = 2 m_e E).

    Parameters
    ----------
    width
        Γ(ee) in GeV for a coupling of 1, ``[n_masses]``.
    invisible
        Branching ratio to invisible particles, ``[n_masses]``.
    """
    made, material = shower(beam), TARGETS[target]
    energy = np.array([resonance_energy(float(boson)) for boson in masses])
    inside = (energy > made.energy[0]) & (energy < beam)
    usable = np.where(inside, energy, made.energy[0])
    integral = 6 * np.pi**2 * width * invisible / (masses * float(mass(11))) * PB
    rate = material.z * material.per_pb * integral * positron_density(made, positrons, usable)
    return Emission("annihilation", usable[:, None], np.where(inside, rate, 0.0)[:, None])


def positron_density(made: Shower, positrons: bool, energy: Array) -> Array:
    """Return the track length of positrons per GeV in X0 at some energies in GeV.

    Interpolated between bins in the logarithm, as it falls by orders of magnitude towards the beam energy.
    """
    per_gev = (made.secondary + made.primary * positrons) / made.width
    return np.asarray(np.exp(np.interp(energy, made.energy, np.log(np.maximum(per_gev, LEAST)))))


def _half_width(process: PositronAnnihilation) -> float:
    """Return the half width of the resonance in positron energy, found where the cross-section falls to its half.

    The width of the dark photon is narrow against its mass, so the flank above the peak decides.
    """
    peak = resonance_energy(process.dark_mass)
    tops = process.cross_section(np.array([peak]))
    reach = np.geomspace(1e-6, 1.0, 400) * peak
    falling = process.cross_section(peak + reach) / tops
    return float(np.interp(-0.5, -falling, reach))
