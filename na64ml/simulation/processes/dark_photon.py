"""The signal: an electron radiates a dark photon that leaves unseen."""

from typing import ClassVar, Literal

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, field_validator
from scipy.constants import N_A

from na64ml.errors import ConfigError
from na64ml.setups.materials import MATERIALS
from na64ml.setups.sourced import NonNegative
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import BeamTrack, GeneratedEvents
from na64ml.simulation.particles import Particles
from na64ml.simulation.processes.base import Process
from na64ml.simulation.processes.beam_electron import GAP
from na64ml.simulation.processes.depth import electron_at_depth
from na64ml.simulation.processes.shower_electrons import draw_electrons, track_length
from na64ml.simulation.processes.weizsaecker_williams import cross_section, draw_share, etl_cross_section, share_above

CM2_PER_PB = 1e-36
LEAD_A = 207.2
"""Molar mass of lead in g (physics.md 4.2)."""


class DarkPhoton(Process):
    """Bremsstrahlung of a dark photon in the target (physics.md 4.1, 4.2).

    Parameters
    ----------
    masses
        Masses in GeV, drawn with equal probability.
    emission
        ``front_face``: the beam electron radiates at once, what is left of it showers from the front face.
        ``shower``: the leading electron of the shower radiates at a depth and energy drawn from its track length.
    min_electron
        Energy in GeV that the electron keeps at least.
    min_energy
        Energy in GeV of the dark photon at least.
    mixing
        Kinetic mixing, for the rate.
    """

    name: ClassVar[str] = "dark_photon"
    masses: tuple[float, ...] = Field(default=(0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 1.0), min_length=1)
    emission: Literal["front_face", "shower"] = "front_face"
    min_electron: float = Field(default=0.3, ge=0)
    min_energy: float = Field(default=0.0, ge=0)
    mixing: float = Field(default=1e-4, gt=0)

    @field_validator("masses")
    @classmethod
    def _in_table(cls, masses: tuple[float, ...]) -> tuple[float, ...]:
        try:
            for value in masses:
                etl_cross_section(value)
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return masses

    def generate(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        """Make events with one emission each."""
        track = beamline.particles(n_events, rng, end_z=beamline.front)
        dark_mass = rng.choice(self.masses, n_events)
        energy, depth, share = self._emissions(track, dark_mass, beamline, rng)
        taken = share * energy
        first = track.at(beamline.front - GAP)
        if self.emission == "front_face":
            everything = np.arange(n_events)
            particles = Particles.build(everything, track.pdg, first, (energy - taken)[:, None] * track.direction)
        else:
            particles = electron_at_depth(track, energy, depth, energy - taken, beamline, rng)
        return GeneratedEvents(track, particles, np.ones(n_events), {"mass": dark_mass, "invisible_energy": taken})

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return emissions above ``min_energy`` per electron, averaged over the masses (closed form of 4.2)."""
        value = float(np.mean([self._rate(m, beamline.energy) for m in self.masses]))
        return NonNegative(value=value, source=f"C: physics.md 4.2 closed form, mixing {self.mixing:g}")

    def _rate(self, dark_mass: float, initial: float) -> float:
        threshold = max(self.min_energy, 1.05 * dark_mass, 1.0)
        edges = np.linspace(threshold, initial, 200)
        energies = (edges[1:] + edges[:-1]) / 2
        sigma = np.array([cross_section(dark_mass, e) * share_above(dark_mass, e, threshold) for e in energies])
        per_x0 = N_A * MATERIALS["Pb"].radiation_length / LEAD_A * CM2_PER_PB
        return float((track_length(edges, initial) * sigma).sum() * per_x0 * self.mixing**2)

    def _emissions(
        self, track: BeamTrack, dark_mass: NDArray[np.float64], beamline: Beamline, rng: Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return energy and depth (X0) of the radiating electron and the share it radiates, ``[n_events]``."""
        n_events = len(track)
        energy, depth, share = track.p.copy(), np.zeros(n_events), np.zeros(n_events)
        open_ = np.arange(n_events)
        while len(open_):
            if self.emission == "shower":
                energy[open_], depth[open_] = draw_electrons(len(open_), track.p[open_], rng)
            uniform = rng.random(len(open_))
            for value in self.masses:
                now = dark_mass[open_] == value
                share[open_[now]] = draw_share(value, beamline.energy, uniform[now])
            taken = share[open_] * energy[open_]
            rejected = (energy[open_] - taken <= self.min_electron) | (taken <= self.min_energy)
            if self.emission == "shower":
                rejected |= rng.random(len(open_)) > self._relative_cross_section(
                    dark_mass[open_], energy[open_], beamline.energy
                )
            open_ = open_[rejected]
        return energy, depth, share

    def _relative_cross_section(
        self, dark_mass: NDArray[np.float64], energy: NDArray[np.float64], initial: float
    ) -> NDArray[np.float64]:
        """Return the cross-section over that at 1.1 times the beam energy, interpolated in energy, ``[n]``."""
        grid = np.geomspace(0.5, 1.1 * initial, 40)
        result = np.zeros(len(energy))
        for value in self.masses:
            now = dark_mass == value
            table = np.array([cross_section(value, e) for e in grid])
            result[now] = np.interp(energy[now], grid, table / table[-1])
        return result
