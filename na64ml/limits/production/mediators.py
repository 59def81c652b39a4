"""Emission of a boson by a lepton in the field of a nucleus: shape of its energy spectrum.

Weizsaecker-Williams amplitudes of arXiv:1705.01633, as in the public repository PKMuon/DMG4 (physics.md 4.1, 4.5
[V-code]); natural units, GeV.
"""

import numpy as np

from na64ml.limits.production.target import Array
from na64ml.simulation.processes.tree_level import Mediator


def amplitude(kind: Mediator, boson: float, lepton: float, x: Array) -> tuple[Array, float]:
    """Return the coefficients (C0, C1) of A = C0 + C1 (u x + m² (1 - x) + m_l² x²) / u².

    Parameters
    ----------
    kind
        Spin and parity of the boson.
    boson, lepton
        Masses in GeV.
    x
        Share of the lepton energy that the boson takes.
    """
    if kind in ("vector", "axial"):
        constant = 2 * (2 - 2 * x + x**2) / (1 - x)
        if kind == "vector":
            return constant, 4 * (boson**2 + 2 * lepton**2)
        return constant + 4 * lepton**2 * x**2 / (boson**2 * (1 - x)), 4 * (boson**2 - 4 * lepton**2)
    return x**2 / (1 - x), 2 * (boson**2 - 4 * lepton**2 * (kind == "scalar"))


def u_max(boson: float, lepton: float, x: Array) -> Array:
    """Return the largest (least negative) u, that of emission straight ahead, in GeV²."""
    return np.asarray(-(boson**2) * (1 - x) / x - lepton**2 * x)


def share_grid(boson: float, lepton: float, energy: Array, nucleus: float, n: int) -> tuple[Array, Array]:
    """Return ln(1 - x) and x between the kinematic limits of physics.md 4.1, ``[n_energies, n]`` each.

    Parameters
    ----------
    nucleus
        Mass of the nucleus in GeV.
    """
    energy = energy[:, None]
    least_left = np.log(boson**4 / (8 * energy**3 * nucleus) + lepton / energy)
    most_left = np.log(1 - boson / energy)
    logarithm = least_left + (most_left - least_left) * np.linspace(0, 1, n)
    return logarithm, -np.expm1(logarithm)


def density(kind: Mediator, boson: float, lepton: float, energy: Array, x: Array) -> Array:
    """Return dN/dx of the improved approximation (the flux does not depend on x), not normalised.

    The integral over u of A / u² gives C0 / |u| - C1 x / (6 u²) at the largest u; for a vector it is the spectrum of
    physics.md 4.1.
    """
    constant, slope = amplitude(kind, boson, lepton, x)
    u = u_max(boson, lepton, x)
    momentum = np.sqrt(np.clip(x**2 - (boson / energy[:, None]) ** 2, 0, None))
    return np.clip(momentum * (1 - x) / x * (constant / np.abs(u) - slope * x / (6 * u**2)), 0, None)
