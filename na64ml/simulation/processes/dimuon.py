"""Muon pairs made by hard photons of the shower, gamma Z -> mu+ mu- Z."""

from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.constants import N_A, alpha, physical_constants

from na64ml.errors import ConfigError
from na64ml.setups.materials import MATERIALS
from na64ml.setups.sourced import NonNegative
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import GeneratedEvents
from na64ml.simulation.particles import Particles, join, mass
from na64ml.simulation.processes.base import Process
from na64ml.simulation.processes.beam_electron import GAP
from na64ml.simulation.processes.depth import z_at_depth
from na64ml.simulation.processes.sampling import draw
from na64ml.simulation.processes.shower_electrons import photon_track_length

UB_PER_CM2 = 1e30
PAIR_ANGLE = 0.7
"""Angle of a muon to the photon in units of m_mu / E_mu, gaussian in each projection: the reference sample [card];
physics.md 5.8 has angles of the order of m_mu / E."""

HIGHEST = 0.99
"""Energy of the pair over that of the beam, at most."""


class Dimuon(Process):
    """A photon of the shower converts to a muon pair.

    Parameters
    ----------
    spectrum
        ``conversion``: cross-section times track length of photons (physics.md 5.8, 3.3); ``log_uniform``: drawn as
        1/E, with weights that make it the former.
    low, high
        Range of the energy of the pair in GeV.
    vertex
        ``front_face``, or ``shower`` for the depth at which photons of that energy are found.
    """

    name: ClassVar[str] = "dimuon"
    spectrum: Literal["conversion", "log_uniform"] = "conversion"
    low: float = Field(default=10.0, gt=1)
    high: float = Field(default=95.0, gt=1)
    vertex: Literal["front_face", "shower"] = "front_face"

    def generate(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        """Make pairs and the electron that is left."""
        track = beamline.particles(n_events, rng, end_z=beamline.front)
        pair, weight = self._pair_energy(n_events, beamline.energy, rng)
        pair = np.minimum(pair, HIGHEST * track.p)
        share = draw_sharing(pair, rng)
        z = beamline.front + np.zeros(n_events)
        if self.vertex == "shower":
            z = z_at_depth(rng.gamma(2.0, 1.0, n_events), beamline)  # a photon is radiated, and converts: 1 X0 each
        muon_mass, everything, parts = float(mass(13)), np.arange(n_events), []
        for pdg, energy in ((13, share * pair), (-13, (1 - share) * pair)):
            angle = rng.normal(0, PAIR_ANGLE * muon_mass / energy[:, None], (n_events, 2))
            direction = np.column_stack([track.slope + angle, np.ones(n_events)])
            direction /= np.linalg.norm(direction, axis=1, keepdims=True)
            momentum = np.sqrt(energy**2 - muon_mass**2)[:, None] * direction
            parts.append(Particles.build(everything, pdg, track.at(z - GAP), momentum, secondary=True))
        left = (track.p - pair)[:, None] * track.direction
        electron = Particles.build(everything, track.pdg, track.at(beamline.front - GAP), left)
        truth = {"vertex_z": z} if self.vertex == "shower" else {}
        return GeneratedEvents(track, join(electron, *parts), weight, truth)

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return pairs per electron in the range of energies (physics.md 3.3 [C], first-generation photons)."""
        value = pair_rate(self.low, self.high, beamline.energy)
        return NonNegative(value=value, source="C: physics.md 5.8 cross-section x first-generation photons in lead")

    def _pair_energy(self, n: int, initial: float, rng: Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return energies in GeV and weights, ``[n]`` each."""
        high = min(self.high, HIGHEST * initial)
        if not self.low < high:
            raise ConfigError(
                f"{self.name}: low {self.low:g}, high {self.high:g} GeV leave no pairs of a beam of {initial:g} GeV; "
                f"low < high is needed, and low below {HIGHEST * initial:g} GeV"
            )
        grid = np.geomspace(self.low, high, 400)
        density = pair_cross_section(grid) * photon_track_length(grid, initial)
        if self.spectrum == "conversion":
            return draw(grid, density, rng.random(n)), np.ones(n)
        pair = self.low * (high / self.low) ** rng.random(n)
        natural = density / np.trapezoid(density, grid)
        return pair, np.interp(pair, grid, natural) * pair * np.log(high / self.low)


def _constants(z: float, a: float) -> tuple[float, float]:
    electron, muon = float(mass(11)), float(mass(13))
    d_n, b = 1.54 * a**0.27, 183.0
    saturation = b * z ** (-1 / 3) * muon / (d_n * electron)
    return saturation, 1 / (4 * d_n * np.sqrt(np.e) * muon)


def pair_cross_section(energy: ArrayLike, z: float = 82.0, a: float = 207.2) -> NDArray[np.float64]:
    """Return sigma(gamma Z -> mu mu Z) in microbarn (physics.md 5.8 [V-code], Burkhardt-Kelner-Kokoulin).

    Parameters
    ----------
    energy
        Photon energy in GeV.
    """
    e = np.asarray(energy, dtype=np.float64)
    muon, d_n = float(mass(13)), 1.54 * a**0.27
    infinite, w_m = _constants(z, a)
    saturation = infinite / w_m
    t, s = 1.479 + 0.00799 * d_n, -0.88
    correction = 1 + 0.04 * np.log(1 + (-18 + 4347 / (183.0 * z ** (-1 / 3))) / e)
    effective = np.clip(1 - 4 * muon / e, 0, None) ** t * (saturation**s + e**s) ** (1 / s)
    radius = physical_constants["classical electron radius"][0] * 100 * float(mass(11)) / muon
    total = 7 / 9 * 4 * alpha * z**2 * radius**2 * np.log(1 + w_m * correction * effective)
    return np.asarray(total * UB_PER_CM2)


def pair_rate(low: float, high: float, initial: float) -> float:
    """Return muon pairs per electron with an energy between ``low`` and ``high`` GeV in lead."""
    grid = np.linspace(low, min(high, HIGHEST * initial), 120)
    per_x0 = N_A * MATERIALS["Pb"].radiation_length / 207.2 / UB_PER_CM2
    density = pair_cross_section(grid) * photon_track_length(grid, initial)
    return float(np.trapezoid(density, grid) * per_x0)


def draw_sharing(pair: NDArray[np.float64], rng: Generator) -> NDArray[np.float64]:
    """Return the share of the negative muon, density 1 - 4/3 x (1 - x) (physics.md 5.8; ln W is nearly flat)."""
    edge = 2 * float(mass(13)) / pair
    share = np.full(len(pair), np.nan)
    while (open_ := np.isnan(share)).any():
        x = rng.uniform(edge[open_], 1 - edge[open_])
        share[open_] = np.where(rng.random(len(x)) < 1 - 4 / 3 * x * (1 - x), x, np.nan)
    return share
