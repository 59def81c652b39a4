"""Bremsstrahlung of dark bosons by electrons and positrons of a shower, with exact tree-level cross-sections."""

import numpy as np

from na64ml.limits.production.emission import Emission, energy_edges, histogram
from na64ml.limits.production.mediators import density, share_grid
from na64ml.limits.production.showers import shower
from na64ml.limits.production.target import TARGETS, Array, TargetName
from na64ml.simulation.particles import mass
from na64ml.simulation.processes.tree_level import Mediator, cross_section

GEV_PER_GRAM = 0.93149410242
"""Atomic mass unit in GeV (CODATA)."""

LEAD = TARGETS["Pb"]

N_SHARES = 300
N_SHOWER_BINS_JOINED = 4


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
        weight = lengths * cross_section(boson, energy, kind, material.z, material.a) * material.per_pb
        logarithm, x = share_grid(boson, float(mass(11)), energy, material.a * GEV_PER_GRAM, N_SHARES)
        spectrum = density(kind, boson, float(mass(11)), energy, x)
        rates.append(histogram(x, logarithm, spectrum, weight, energy, edges))
    centres = np.broadcast_to((edges[1:] + edges[:-1]) / 2, (len(masses), len(edges) - 1))
    return Emission("bremsstrahlung", centres, np.array(rates))
