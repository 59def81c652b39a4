"""Axion-like particles and scalars made by the Primakoff effect, and their decays to two photons."""

from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field
from scipy.constants import N_A, alpha

from na64ml.errors import ConfigError
from na64ml.setups.detectors import Calorimeter
from na64ml.setups.materials import MATERIALS
from na64ml.setups.sourced import NonNegative
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import GeneratedEvents
from na64ml.simulation.particles import Particles, join, mass
from na64ml.simulation.processes.base import Process
from na64ml.simulation.processes.beam_electron import GAP
from na64ml.simulation.processes.dark_photon import CM2_PER_PB
from na64ml.simulation.processes.depth import z_at_depth
from na64ml.simulation.processes.forced_decay import forced_decay
from na64ml.simulation.processes.sampling import draw
from na64ml.simulation.processes.shower_electrons import photon_track_length
from na64ml.simulation.processes.tree_level import LEAD_A, PB, Z_LEAD
from na64ml.simulation.processes.two_body import decay_in_two

HBAR_C = 1.973269804e-13
"""In GeV mm (CODATA)."""

FAR = 1e9
"""End in mm of the region beyond the detector."""

HIGHEST = 0.99
"""Energy of the photons over that of the beam, at most."""


class ALP(Process):
    """A shower photon converts to a pseudoscalar that decays to two photons (physics.md 4.5; arXiv:2005.02710).

    The pseudoscalar takes the whole energy of the photon (x = 1); photons are those that the leading electron radiates.

    Parameters
    ----------
    alp_mass, coupling
        Mass in GeV and coupling to photons in GeV^-1. The formula of the cross-section is positive only for
        alp_mass² / 2 below about 0.027 GeV times the energy; heavier ones are an error.
    low
        Smallest energy in GeV.
    region
        Where the decay is forced: ``visible`` in HCAL1 and HCAL2, ``invisible`` behind them.
    """

    name: ClassVar[str] = "alp"
    alp_mass: float = Field(default=0.03, gt=0)
    coupling: float = Field(default=3e-4, gt=0)
    low: float = Field(default=20.0, gt=1)
    region: Literal["visible", "invisible"] = "visible"

    def generate(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        """Make conversions and forced decays; the weight is the probability of the decay."""
        self._check(beamline.energy)
        track = beamline.particles(n_events, rng, end_z=beamline.front)
        energy = np.minimum(self._energies(n_events, beamline.energy, rng), 0.995 * track.p)
        start = z_at_depth(rng.gamma(2.0, 1.0, n_events), beamline)  # radiated after 1 X0, converted after 1 more
        z, weight = forced_decay(start, self.decay_length(energy), self._region(beamline), rng)
        momentum = np.sqrt(energy**2 - self.alp_mass**2)[:, None] * track.direction
        everything = np.arange(n_events)
        left = (track.p - energy)[:, None] * track.direction
        particles = Particles.build(everything, track.pdg, track.at(beamline.front - GAP), left)
        lost = energy
        if self.region == "visible":
            photons = decay_in_two(self.alp_mass, 0.0, 0.0, momentum, rng)
            parts = [Particles.build(everything, 22, track.at(z), photon, secondary=True) for photon in photons]
            particles, lost = join(particles, *parts), np.zeros(n_events)
        truth = {"mass": np.full(n_events, self.alp_mass), "invisible_energy": lost, "vertex_z": np.minimum(z, FAR)}
        return GeneratedEvents(track, particles, weight, truth)

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return conversions per electron above ``low``, wherever they decay (physics.md 4.5)."""
        self._check(beamline.energy)
        grid = np.linspace(self.low, HIGHEST * beamline.energy, 200)
        per_x0 = N_A * MATERIALS["Pb"].radiation_length / LEAD_A * CM2_PER_PB
        density = self.cross_section(grid) * photon_track_length(grid, beamline.energy)
        value = float(np.trapezoid(density, grid) * per_x0)
        return NonNegative(value=value, source=f"C: physics.md 4.5 Primakoff, coupling {self.coupling:g} per GeV")

    def cross_section(self, energy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the Primakoff cross-section in lead in pb for photons of ``energy`` GeV (physics.md 4.5 [V-code])."""
        t_min = (self.alp_mass**2 / (2 * energy)) ** 2
        nuclear, atomic = _form_factors()
        logarithm = np.log((nuclear + t_min) / (atomic + t_min)) - 2
        return np.asarray(self.coupling**2 * alpha * Z_LEAD**2 / 8 * np.clip(logarithm, 0, None) * PB)

    def decay_length(self, energy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean decay length (E / m) 64 pi hbar c / (g² m³) in mm (physics.md 4.5 [C])."""
        return np.asarray(energy / self.alp_mass * 64 * np.pi * HBAR_C / (self.coupling**2 * self.alp_mass**3))

    def _energies(self, n: int, initial: float, rng: Generator) -> NDArray[np.float64]:
        grid = np.linspace(self.low, HIGHEST * initial, 400)
        density = self.cross_section(grid) * photon_track_length(grid, initial)
        return draw(grid, density, rng.random(n))

    def _check(self, initial: float) -> None:
        highest = HIGHEST * initial
        if not self.low < highest:
            raise ConfigError(
                f"{self.name}: low {self.low:g} GeV leaves no photons of a beam of {initial:g} GeV; give one between "
                f"1 and {highest:g} GeV"
            )
        if self.cross_section(np.array([highest]))[0] <= 0:
            limit = self._heaviest(highest)
            raise ConfigError(
                f"{self.name}: alp_mass {self.alp_mass:g} GeV is too heavy for photons of {self.low:g} to {highest:g} "
                f"GeV; give a mass between 0 and {limit:.3g} GeV"
            )

    @staticmethod
    def _heaviest(energy: float) -> float:
        """Return the mass in GeV at which the cross-section for photons of ``energy`` GeV vanishes."""
        nuclear, atomic = _form_factors()
        return float(np.sqrt(2 * energy * np.sqrt((nuclear - np.e**2 * atomic) / (np.e**2 - 1))))

    def _region(self, beamline: Beamline) -> tuple[float, float]:
        hcal = beamline.setup.detector("HCAL")
        if not isinstance(hcal, Calorimeter) or len(hcal.segments) < 3:
            raise ConfigError(f"{self.name}: setup '{beamline.setup.name}' has no HCAL of three modules to decay in")
        last = hcal.segments[2].z_max
        return (hcal.segments[1].z_min, last) if self.region == "visible" else (last, FAR)


def _form_factors() -> tuple[float, float]:
    """Return the squared momentum transfers in GeV² of nucleus and atom of lead (physics.md 4.1)."""
    return 0.164 * LEAD_A ** (-2 / 3), (float(mass(11)) / (111 * Z_LEAD ** (-1 / 3))) ** 2


class Scalar(ALP):
    """A scalar with the coupling of an ALP: same rate and kinematics in this approximation (physics.md 4.5)."""

    name: ClassVar[str] = "scalar"
