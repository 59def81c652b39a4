"""Resonant annihilation of positrons, e+ e- -> A' -> chi chi (physics.md 4.3 [V-code]; arXiv:2108.04195)."""

from functools import lru_cache
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
from na64ml.simulation.processes.dark_photon import CM2_PER_PB, SOFTEST
from na64ml.simulation.processes.depth import electron_at_depth, z_at_depth
from na64ml.simulation.processes.sampling import draw_binned, middles
from na64ml.simulation.processes.shower_electrons import draw_depth, track_length
from na64ml.simulation.processes.tree_level import LEAD_A, PB, Z_LEAD

SECONDARY_POSITRONS = {0.40: 7.2e-3, 0.50: 3.2e-3, 0.60: 1.4e-3, 0.80: 2.3e-4, 0.88: 8e-5, 0.95: 1.7e-5}
"""Track length per GeV in X0 of secondary positrons of a 100 GeV electron in lead, by the share of its energy
(physics.md 4.3, 4.4 [C]; the last is a thousandth of the primary's); the share is all it depends on, times 1/E."""


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
        primary = beamline.pdg == -11
        edges, content = _annihilations(self, beamline.energy, primary)
        track = beamline.particles(n_events, rng, end_z=beamline.front)
        below = np.interp(track.p, edges[1:], np.cumsum(content))  # a beam positron has no more than its own energy
        energy = draw_binned(edges, content, rng.random(n_events) * below / content.sum())
        # Of a secondary positron: a photon is radiated, converts, and the positron annihilates, 1 X0 each.
        depth = draw_depth(energy, track.p, rng) if primary else rng.gamma(3.0, 1.0, n_events)
        particles = electron_at_depth(track, energy, depth, np.zeros(n_events), beamline, rng)
        truth = {"mass": np.full(n_events, self.dark_mass), "invisible_energy": energy}
        truth["vertex_z"] = z_at_depth(depth, beamline)
        return GeneratedEvents(track, particles, np.ones(n_events), truth)

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return annihilations per particle on target (physics.md 4.3)."""
        primary = beamline.pdg == -11
        per_x0 = Z_LEAD * N_A * MATERIALS["Pb"].radiation_length / LEAD_A * CM2_PER_PB
        value = float(_annihilations(self, beamline.energy, primary)[1].sum() * per_x0)
        origin = "the primary positron" if primary else "secondary positrons, 4.3 and 4.4"
        return NonNegative(value=value, source=f"C: physics.md 4.3, track length of {origin}, mixing {self.mixing:g}")

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

    @property
    def half_width(self) -> float:
        """Half width at half maximum of the resonance in GeV of the positron."""
        return self.dark_mass * self._width / (2 * float(mass(11)))


@lru_cache(maxsize=64)
def _annihilations(
    process: PositronAnnihilation, initial: float, primary: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return bin edges of the positron's energy in GeV, and cross-section (pb) times track length (X0) in each."""
    resonance, reach = resonance_energy(process.dark_mass), 80 * process.half_width
    if not SOFTEST < resonance < initial:
        low, high = (float(np.sqrt(2 * mass(11) * e)) for e in (SOFTEST, initial))
        raise ConfigError(
            f"{process.name}: dark_mass {process.dark_mass:g} GeV is resonant at {resonance:.3g} GeV, not within "
            f"{SOFTEST:g} GeV and the beam energy of {initial:g} GeV; give a mass between {low:.3g} and {high:.3g} GeV"
        )
    edges = np.linspace(max(SOFTEST, resonance - reach), min(0.9999 * initial, resonance + reach), 2001)
    if primary:
        lengths = track_length(edges, initial)
    else:
        lengths = secondary_track_length(middles(edges), initial) * np.diff(edges)
    return edges, lengths * process.cross_section(middles(edges))


def secondary_track_length(energy: NDArray[np.float64], initial: float) -> NDArray[np.float64]:
    """Return the track length per GeV in X0 of secondary positrons of an electron.

    The logarithm of `SECONDARY_POSITRONS` is interpolated in the energy, and goes on beyond the table as in its first
    and last interval.
    """
    share, logarithm = np.array(list(SECONDARY_POSITRONS)), np.log(list(SECONDARY_POSITRONS.values()))
    y = energy / initial
    inside = np.interp(y, share, logarithm)
    first, last = np.diff(logarithm)[[0, -1]] / np.diff(share)[[0, -1]]
    beyond = first * np.minimum(y - share[0], 0) + last * np.maximum(y - share[-1], 0)
    return np.asarray(np.exp(inside + beyond) * 100 / initial)


def resonance_energy(dark_mass: float) -> float:
    """Return the positron energy in GeV at which s equals the mass squared (physics.md 4.3)."""
    electron = float(mass(11))
    return (dark_mass**2 - 2 * electron**2) / (2 * electron)
