"""Hadrons that share an energy: multiplicities, species, energies and transverse momenta (physics.md 5.10 [M-L])."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, model_validator

from na64ml.setups.sourced import AboveZero
from na64ml.simulation.particles import Particles, mass
from na64ml.simulation.processes.two_body import decay_in_two
from na64ml.yaml_files import StrictModel

PI0 = 111


class HadronSystem(StrictModel):
    """How an energy is shared among hadrons; the defaults reproduce the reference sample.

    Parameters
    ----------
    at_least_charged, charged, pi0, neutral
        Number of charged hadrons beyond their Poisson mean, and Poisson means of charged hadrons, pi0 and neutral
        hadrons.
    protons, k0l, k0s
        Share of protons among charged hadrons (the rest are pi+ and pi- in equal parts), and of K0L and K0S among
        neutral ones (the rest are neutrons).
    concentration
        Concentrations of the Dirichlet law by which the energy is shared, of charged hadrons, pi0 and neutral hadrons;
        below 1 one particle tends to lead.
    transverse_momentum
        Mean p_T in GeV; dN/dp_T² falls as exp(-2 p_T / mean).
    minimum
        Kinetic energy in GeV below which a hadron is dropped.
    """

    at_least_charged: int = Field(default=1, ge=0)
    charged: float = Field(default=2.5, ge=0)
    pi0: float = Field(default=1.2, ge=0)
    neutral: float = Field(default=0.7, ge=0)
    protons: float = Field(default=0.16, ge=0, le=1)
    k0l: float = Field(default=0.4, ge=0, le=1)
    k0s: float = Field(default=0.0, ge=0, le=1)
    concentration: tuple[AboveZero, AboveZero, AboveZero] = (0.7, 0.63, 0.85)
    transverse_momentum: float = Field(default=0.35, gt=0)
    minimum: float = Field(default=0.15, ge=0)

    @model_validator(mode="after")
    def _shares_fit(self) -> "HadronSystem":
        if self.k0l + self.k0s > 1:
            raise ValueError(
                f"k0l {self.k0l:g} and k0s {self.k0s:g} are shares of neutral hadrons; their sum exceeds 1"
            )
        return self

    def generate(
        self, energy: NDArray[np.float64], position: NDArray[np.float64], axis: NDArray[np.float64], rng: Generator
    ) -> Particles:
        """Share ``energy`` in GeV, ``[n_events]``, among hadrons from ``position`` in mm about ``axis``, ``[n, 3]``."""
        n_events = len(energy)
        counts = np.array(
            [
                self.at_least_charged + rng.poisson(self.charged, n_events),
                rng.poisson(self.pi0, n_events),
                rng.poisson(self.neutral, n_events),
            ]
        )
        event = np.concatenate([np.repeat(np.arange(n_events), count) for count in counts])
        n_charged, n_pi0, n_neutral = counts.sum(axis=1)
        pdg = np.concatenate([self._charged(n_charged, rng), np.full(n_pi0, PI0), self.neutral_species(n_neutral, rng)])
        part = rng.standard_gamma(np.repeat(self.concentration, counts.sum(axis=1)))
        total = part / np.bincount(event, part, minlength=n_events)[event] * energy[event]
        momentum, kept = self.momenta(pdg, total, axis[event], rng)
        hadrons = Particles.build(
            event[kept], pdg[kept], position[event[kept]], momentum[kept], secondary=np.ones(kept.sum(), dtype=bool)
        )
        return decayed_pi0(hadrons, rng)

    def momenta(
        self, pdg: NDArray[np.int64], energy: NDArray[np.float64], axis: NDArray[np.float64], rng: Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return momenta in GeV, ``[n, 3]``, and which particles have at least the minimum energy."""
        masses = mass(pdg)
        kept = energy - masses > self.minimum
        p = np.sqrt(np.clip(energy**2 - masses**2, 0, None))
        transverse = np.minimum(rng.standard_gamma(2.0, len(pdg)) * self.transverse_momentum / 2, 0.999 * p)
        azimuth = rng.uniform(0, 2 * np.pi, len(pdg))
        x, y = transverse * np.cos(azimuth), transverse * np.sin(azimuth)
        along = np.sqrt(np.clip(p**2 - transverse**2, 0, None))
        # The axis is within a milliradian of z, so that adding slopes is exact enough.
        slope = axis[:, :2] / axis[:, 2:]
        return np.column_stack([x + along * slope[:, 0], y + along * slope[:, 1], along]), kept

    def neutral_species(self, n: int, rng: Generator) -> NDArray[np.int64]:
        """Return PDG numbers of neutral hadrons."""
        return rng.choice([2112, 130, 310], n, p=[1 - self.k0l - self.k0s, self.k0l, self.k0s])

    def _charged(self, n: int, rng: Generator) -> NDArray[np.int64]:
        pion = (1 - self.protons) / 2
        return rng.choice([211, -211, 2212], n, p=[pion, pion, self.protons])


MINIMUM_PHOTON = 0.05
"""Energy in GeV below which a photon of a pi0 is dropped: the smallest in the reference sample [card]."""


def decayed_pi0(particles: Particles, rng: Generator) -> Particles:
    """Return the particles with every pi0 replaced by its two photons."""
    pi0 = particles.pdg == PI0
    parents = particles.select(pi0)
    photons = decay_in_two(float(mass(PI0)), 0.0, 0.0, parents.momentum, rng)
    event = np.concatenate([particles.event[~pi0], parents.event, parents.event])
    pdg = np.concatenate([particles.pdg[~pi0], np.full(2 * len(parents), 22)])
    position = np.concatenate([particles.position[~pi0], parents.position, parents.position])
    momentum = np.concatenate([particles.momentum[~pi0], *photons])
    secondary = np.concatenate([particles.secondary[~pi0], parents.secondary, parents.secondary])
    result = Particles.build(event, pdg, position, momentum, secondary=secondary)
    return result.select((result.pdg != 22) | (result.energy > MINIMUM_PHOTON))
