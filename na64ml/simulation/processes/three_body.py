"""Decays into three particles: muons (Michel spectrum) and charged kaons (Ke3)."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from na64ml.simulation.particles import mass
from na64ml.simulation.processes.two_body import boosted, decay_in_two, isotropic


def muon_electrons(momentum: NDArray[np.float64], polarisation: float, rng: Generator) -> NDArray[np.float64]:
    """Return momenta in GeV of the electrons of muon decays, ``[n, 3]``.

    d²N / dx dcos = x² [3 - 2x + P cos (2x - 1)] for positive muons, of which the positron prefers the direction of the
    spin; P changes sign with the charge (PDG, muon decay parameters; masses of the daughters neglected).

    Parameters
    ----------
    momentum
        Of the muons in GeV.
    polarisation
        Mean of the asymmetry along the flight direction: -1 for muons of forward pion decays, whose electrons are
        emitted backwards and are soft; the mean share of the energy is then 0.3, and 0.35 without polarisation.
    """
    n, muon = len(momentum), float(mass(13))
    x, cosine = np.full(n, np.nan), np.empty(n)
    while (open_ := np.isnan(x)).any():
        count = int(open_.sum())
        try_x, try_cos = rng.random(count), rng.uniform(-1, 1, count)
        density = try_x**2 * (3 - 2 * try_x + polarisation * try_cos * (2 * try_x - 1))
        accepted = rng.uniform(0, 2, count) < density
        x[open_] = np.where(accepted, try_x, np.nan)
        cosine[open_] = try_cos
    azimuth = rng.uniform(0, 2 * np.pi, n)
    along = momentum / np.linalg.norm(momentum, axis=1, keepdims=True)
    side = np.cross(along, np.array([0.0, 1.0, 0.0]))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(along, side)
    sine = np.sqrt(1 - cosine**2)
    direction = (
        cosine[:, None] * along + (sine * np.cos(azimuth))[:, None] * side + (sine * np.sin(azimuth))[:, None] * other
    )
    energy = x * muon / 2
    return boosted(energy[:, None] * direction, 0.0, momentum, muon)


def ke3(
    momentum: NDArray[np.float64], rng: Generator, kaon: int = 321, pion: int = 111
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return momenta in GeV of electron and pion of K -> pi e nu, ``[n, 3]`` each.

    The Dalitz density of a vector current with a constant form factor, 2 E_e E_nu - m_K (E_pi_max - E_pi) in the
    rest frame with the electron mass neglected (PDG, Kl3 form factors; the slope of the form factor is left out).
    """
    n, m_kaon, m_pion = len(momentum), float(mass(kaon)), float(mass(pion))
    electron, pions = np.full((n, 3), np.nan), np.empty((n, 3))
    top = (m_kaon**2 + m_pion**2) / (2 * m_kaon)
    largest = m_kaon**2 / 4
    while (open_ := np.isnan(electron[:, 0])).any():
        count = int(open_.sum())
        # Flat in the Dalitz plot: m²(e nu) uniform, weighted by the momentum of the pion, and isotropic decays.
        pair2 = rng.uniform(0, (m_kaon - m_pion) ** 2, count)
        e_pion = (m_kaon**2 + m_pion**2 - pair2) / (2 * m_kaon)
        p_pion = np.sqrt(np.clip(e_pion**2 - m_pion**2, 0, None))
        pion_momentum = p_pion[:, None] * isotropic(count, rng)
        try_e, neutrino = decay_in_two(np.sqrt(pair2), 0.0, 0.0, -pion_momentum, rng)
        e_e, e_nu = np.linalg.norm(try_e, axis=1), np.linalg.norm(neutrino, axis=1)
        density = (2 * e_e * e_nu - m_kaon * (top - e_pion)) * p_pion
        accepted = rng.uniform(0, largest * m_kaon / 2, count) < density
        electron[open_] = np.where(accepted[:, None], try_e, np.nan)
        pions[open_] = pion_momentum
    return boosted(electron, 0.0, momentum, m_kaon), boosted(pions, m_pion, momentum, m_kaon)
