"""What the engine makes of each kind of particle."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from na64ml.simulation.engines.parametric.columns import Showers, Tracks
from na64ml.simulation.engines.parametric.constants import Constants
from na64ml.simulation.particles import MEV, Particles, charge, mass, properties
from na64ml.simulation.processes.two_body import decay_in_two

ELECTRON, MUON, PHOTON, PI0, ETA, K0S, PION = 11, 13, 22, 111, 221, 310, 211
NEUTRINOS = (12, 14, 16)
KAONS = (130, 311, 321)
BARYONS = 1000
"""PDG numbers above this are baryons and nuclei."""

K0S_TO_CHARGED = 0.692
"""Share of K0S -> pi+ pi- (PDG [M-H]); the rest are pi0 pi0."""


def showers_of(particles: Particles, slot: NDArray[np.int64]) -> Showers:
    """Return the electrons and photons; pi0 and eta count as one photon."""
    pdg = np.abs(particles.pdg)
    chosen = np.isin(pdg, (ELECTRON, PHOTON, PI0, ETA))
    some = particles.select(chosen)
    electron = pdg[chosen] == ELECTRON
    energy = np.where(electron, some.kinetic_energy, some.energy)
    return Showers(slot[chosen], some.position, _direction(some), _positive(energy), ~electron)


def muons_of(particles: Particles, slot: NDArray[np.int64]) -> Tracks:
    """Return the muons."""
    return _tracks(particles, slot, np.abs(particles.pdg) == MUON, cross_section=0.0)


def hadrons_of(particles: Particles, slot: NDArray[np.int64], c: Constants) -> Tracks:
    """Return everything that interacts strongly."""
    pdg = np.abs(particles.pdg)
    other = np.isin(pdg, (ELECTRON, MUON, PHOTON, PI0, ETA, *NEUTRINOS))
    factor = np.where(pdg == PION, c.pion_cross_section.value, c.nucleon_cross_section.value)
    factor[np.isin(pdg, KAONS)] = c.kaon_cross_section.value
    return _tracks(particles, slot, ~other, factor)


def decayed_k0s(particles: Particles, rng: Generator) -> Particles:
    """Return the particles with every K0S replaced by the two pions it decays to, after a flight of its lifetime."""
    is_k0s = particles.pdg == K0S
    if not is_k0s.any():
        return particles
    parents = particles.select(is_k0s)
    known = properties(K0S)
    length = float(known.ctau or 0.0) / (float(known.mass or 0.0) * MEV)
    flight = rng.exponential(size=len(parents)) * length
    position = parents.position + parents.momentum * flight[:, None]
    charged = rng.random(len(parents)) < K0S_TO_CHARGED
    pieces = [particles.select(~is_k0s)]
    for which, daughters in ((charged, (PION, -PION)), (~charged, (PI0, PI0))):
        some = parents.select(which)
        own = [float(mass(number)) for number in daughters]
        pair = decay_in_two(float(mass(K0S)), own[0], own[1], some.momentum, rng)
        for number, momentum in zip(daughters, pair, strict=True):
            pieces.append(Particles.build(some.event, number, position[which], momentum, secondary=some.secondary))
    columns = ("pdg", "position", "momentum", "secondary")
    joined = {name: np.concatenate([getattr(piece, name) for piece in pieces]) for name in columns}
    return Particles.build(np.concatenate([piece.event for piece in pieces]), **joined)


def _tracks(
    particles: Particles, slot: NDArray[np.int64], chosen: NDArray[np.bool_], cross_section: NDArray[np.float64] | float
) -> Tracks:
    some = particles.select(chosen)
    own = mass(some.pdg)
    baryon = np.abs(some.pdg) > BARYONS
    released = np.where(baryon, np.where(some.pdg < 0, 2 * own, 0.0), own)
    factor = np.broadcast_to(cross_section, len(particles))[chosen]
    return Tracks(
        slot[chosen], some.position, _direction(some), _positive(some.kinetic_energy), own, charge(some.pdg), released,
        factor,
    )  # fmt: skip


def _direction(particles: Particles) -> NDArray[np.float64]:
    """Return unit vectors; a particle at rest points along z."""
    length = np.linalg.norm(particles.momentum, axis=1, keepdims=True)
    along_z = np.array([0.0, 0.0, 1.0])
    return np.where(length > 0, particles.momentum / np.where(length > 0, length, 1.0), along_z)


def _positive(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return energies of at least 1 keV, below rounding errors of the masses and all that is measured."""
    return np.maximum(energy, 1e-6)
