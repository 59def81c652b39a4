"""Bremsstrahlung of dark bosons by beam muons (physics.md 4.5)."""

import numpy as np
from scipy.constants import alpha

from na64ml.limits.production.bremsstrahlung import GEV_PER_GRAM, LEAD
from na64ml.limits.production.emission import Emission, energy_edges, histogram
from na64ml.limits.production.mediators import amplitude, share_grid, u_max
from na64ml.limits.production.target import TARGETS, Array, Target, TargetName
from na64ml.simulation.particles import mass
from na64ml.simulation.processes.tree_level import PB, Mediator

LARGEST_ANGLE = 0.3
"""Largest emission angle in rad (physics.md 4.5 [V-code])."""

N_SHARES, N_ANGLES = 200, 120


def muon_spectrum(kind: Mediator, boson: float, beam: float, target: Target = LEAD) -> tuple[Array, Array, Array]:
    """Return ln(1 - x), x and dσ/dx in pb for a coupling of 1 in units of e, ``[1, n]`` each.

    Weizsaecker-Williams with the photon flux of each angle, which agrees with the exact tree level to 1-2 %
    (physics.md 4.5 [V-code]; arXiv:1705.01633): dσ/dx = α³ χ(t_min) sqrt(x² - m²/E²) (1 - x)/x ∫ du A / u², with
    t_min = (u / (2 E (1 - x)))² and t_max = m² + m_μ².
    """
    muon = float(mass(13))
    logarithm, x = share_grid(boson, muon, np.array([beam]), target.a * GEV_PER_GRAM, N_SHARES)
    nearest = np.abs(u_max(boson, muon, x))
    farthest = nearest + x * beam**2 * LARGEST_ANGLE**2
    u = nearest * (farthest / nearest) ** np.linspace(0, 1, N_ANGLES)[:, None]
    constant, slope = amplitude(kind, boson, muon, x)
    full = constant + slope * (boson**2 * (1 - x) + muon**2 * x**2 - u * x) / u**2
    t_min, t_max = (u / (2 * beam * (1 - x))) ** 2, np.full_like(u, boson**2 + muon**2)
    chi = np.where(t_min < t_max, target.flux(np.minimum(t_min, t_max), t_max), 0.0)
    integral = np.asarray(np.trapezoid(full * chi / u, np.log(u), axis=0))[None]
    momentum = np.sqrt(np.clip(x**2 - (boson / beam) ** 2, 0, None))
    return logarithm, x, np.clip(alpha**3 * momentum * (1 - x) / x * integral * PB, 0, None)


def muon_bremsstrahlung(kind: Mediator, masses: Array, beam: float, target: TargetName, depth: float) -> Emission:
    """Return the dark bosons that a muon radiates in the target, for a coupling of 1 in units of e.

    Parameters
    ----------
    masses
        In GeV, ``[n_masses]``.
    beam
        Energy of the muon in GeV; it is the same along the target, of which it loses little.
    depth
        Thickness of the target in X0.
    """
    material, edges, rates = TARGETS[target], energy_edges(beam), []
    for boson in masses:
        logarithm, x, spectrum = muon_spectrum(kind, float(boson), beam, material)
        total = np.asarray(np.trapezoid(spectrum * (1 - x), logarithm, axis=1)) * material.per_pb * depth
        rates.append(histogram(x, logarithm, spectrum, total, np.array([beam]), edges))
    centres = np.broadcast_to((edges[1:] + edges[:-1]) / 2, (len(masses), len(edges) - 1))
    return Emission("muon bremsstrahlung", centres, np.array(rates))
