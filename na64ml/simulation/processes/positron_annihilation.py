"""Resonant annihilation of positrons, e+ e- -> A' -> chi chi (physics.md 4.3 [V-code]; arXiv:2108.04195)."""

from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field
from scipy.constants import N_A, alpha

from na64ml.errors import ConfigError
from na64ml.setups.materials import MATERIALS
from na64ml.setups.sourced import NonNegative
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import GeneratedEvents
from na64ml.simulation.particles import mass
from na64ml.simulation.processes.base import Process
from na64ml.simulation.processes.dark_photon import CM2_PER_PB, LEAD_A
from na64ml.simulation.processes.depth import electron_at_depth
from na64ml.simulation.processes.shower_electrons import draw_depth, track_length

PB = 3.894e8
"""One GeV^-2 in pb (physics.md 4.1)."""

SECONDARY_POSITRONS = {40.0: 7.2e-3, 50.0: 3.2e-3, 60.0: 1.4e-3, 80.0: 2.3e-4, 88.0: 8e-5}
"""Track length per GeV in X0 of secondary positrons of a 100 GeV electron in lead (physics.md 4.3, 4.4 [C])."""

Z_LEAD = 82


class PositronAnnihilation(Process):
    """A positron of the beam or of the shower annihilates with an atomic electron to a resonant dark photon.

    Parameters
    ----------
    dark_mass
        Mass of the dark photon in GeV.
    alpha_dark, mass_ratio
        Dark coupling and mass of chi over that of the dark photon.
    matter
        Whether chi is a Dirac fermion or a complex scalar.
    mixing
        Kinetic mixing, for the rate.
    """

    name: ClassVar[str] = "positron_annihilation"
    dark_mass: float = Field(default=0.25, gt=0.002)
    alpha_dark: float = Field(default=0.1, gt=0)
    mass_ratio: float = Field(default=1 / 3, gt=0, lt=0.5)
    matter: Literal["dirac", "scalar"] = "dirac"
    mixing: float = Field(default=1e-4, gt=0)

    def generate(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        """Make annihilations; what was radiated before showers, the energy of the pair chi chi is lost."""
        track = beamline.particles(n_events, rng, end_z=beamline.front)
        self._check(beamline)
        energy = np.full(n_events, np.nan)
        while (open_ := np.isnan(energy)).any():
            trial = self._resonant_energies(int(open_.sum()), rng)
            energy[open_] = np.where((trial > 0.02 * track.p[open_]) & (trial < track.p[open_]), trial, np.nan)
        depth = draw_depth(energy, track.p, rng)
        particles = electron_at_depth(track, energy, depth, np.zeros(n_events), beamline, rng)
        truth = {"mass": np.full(n_events, self.dark_mass), "invisible_energy": energy}
        return GeneratedEvents(track, particles, np.ones(n_events), truth)

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return annihilations per particle on target (physics.md 4.3)."""
        self._check(beamline)
        resonance, half = resonance_energy(self.dark_mass), 40 * self._width * self.dark_mass / float(mass(11))
        edges = np.linspace(max(1.0, resonance - half), min(0.9999 * beamline.energy, resonance + half), 2001)
        energy = (edges[1:] + edges[:-1]) / 2
        if beamline.pdg == -11:
            lengths, origin = track_length(edges, beamline.energy), "track length of the primary positron"
        else:
            table = np.array(list(SECONDARY_POSITRONS)) * beamline.energy / 100, list(SECONDARY_POSITRONS.values())
            per_gev = np.exp(np.interp(energy, table[0], np.log(table[1])))
            lengths, origin = per_gev * np.diff(edges), "track length of secondary positrons, 4.3"
        per_x0 = Z_LEAD * N_A * MATERIALS["Pb"].radiation_length / LEAD_A * CM2_PER_PB
        value = float((lengths * self.cross_section(energy)).sum() * per_x0)
        return NonNegative(value=value, source=f"C: physics.md 4.3, {origin}, mixing {self.mixing:g}")

    def cross_section(self, energy: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the cross-section per electron in pb for positrons of ``energy`` GeV (physics.md 4.3 [V-code])."""
        electron, chi = float(mass(11)), self.mass_ratio * self.dark_mass
        s = 2 * electron * energy + 2 * electron**2
        q = np.sqrt(s) / 2 * np.sqrt(np.clip(1 - 4 * chi**2 / s, 0, None))
        k = s - 4 / 3 * q**2 if self.matter == "dirac" else 2 / 3 * q**2
        peak = (s - self.dark_mass**2) ** 2 + (self.dark_mass * self._width) ** 2
        return np.asarray(4 * np.pi * self.mixing**2 * alpha * self.alpha_dark * q / np.sqrt(s) * k / peak * PB)

    @property
    def _width(self) -> float:
        """Width of the dark photon in GeV (physics.md 4.3 [V-code])."""
        r = self.mass_ratio
        if self.matter == "dirac":
            return self.alpha_dark * self.dark_mass / 3 * (1 + 2 * r**2) * float(np.sqrt(1 - 4 * r**2))
        return self.alpha_dark * self.dark_mass / 12 * float((1 - 4 * r**2) ** 1.5)

    def _resonant_energies(self, n: int, rng: Generator) -> NDArray[np.float64]:
        """Return positron energies whose s follows the Breit-Wigner shape."""
        s = self.dark_mass**2 + self.dark_mass * self._width * np.tan(np.pi * (rng.random(n) - 0.5))
        electron = float(mass(11))
        return np.asarray((s - 2 * electron**2) / (2 * electron))

    def _check(self, beamline: Beamline) -> None:
        needed = resonance_energy(self.dark_mass)
        if needed >= beamline.energy:
            raise ConfigError(
                f"{self.name}: dark_mass {self.dark_mass:g} GeV is resonant at {needed:.0f} GeV, above the beam of "
                f"{beamline.energy:g} GeV; lower the mass"
            )


def resonance_energy(dark_mass: float) -> float:
    """Return the positron energy in GeV at which s equals the mass squared (physics.md 4.3)."""
    electron = float(mass(11))
    return (dark_mass**2 - 2 * electron**2) / (2 * electron)
