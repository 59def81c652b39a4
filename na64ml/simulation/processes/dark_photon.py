"""The signal: an electron radiates a dark photon that leaves unseen."""

from functools import lru_cache
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
from na64ml.simulation.processes.depth import electron_at_depth, z_at_depth
from na64ml.simulation.processes.sampling import draw_binned, middles
from na64ml.simulation.processes.shower_electrons import draw_depth, track_length
from na64ml.simulation.processes.tree_level import LEAD_A, check_mass, cross_section
from na64ml.simulation.processes.weizsaecker_williams import draw_share, share_between

CM2_PER_PB = 1e-36

SOFTEST = 1.0
"""Energy in GeV below which electrons of the shower are not followed: 4.2 does not give their track length."""


N_BINS = 200
"""Bins in energy of the radiating electron."""


class DarkPhoton(Process):
    """Bremsstrahlung of a dark photon in the target (physics.md 4.1, 4.2).

    Parameters
    ----------
    masses
        Masses in GeV, drawn with equal probability.
    emission
        ``front_face``: the beam electron radiates at once, what is left of it showers from the front face.
        ``shower``: the leading electron of the shower radiates at an energy drawn from cross-section times track
        length, and at a depth where it has that energy.
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
                check_mass(value)
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return masses

    def generate(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        """Make events with one emission each."""
        self._check(beamline)
        track = beamline.particles(n_events, rng, end_z=beamline.front)
        dark_mass = rng.choice(self.masses, n_events)
        truth = {"mass": dark_mass}
        if self.emission == "front_face":
            taken = self._radiated(dark_mass, track.p, np.full(n_events, beamline.energy), rng)
            left = (track.p - taken)[:, None] * track.direction
            particles = Particles.build(np.arange(n_events), track.pdg, track.at(beamline.front - GAP), left)
        else:
            energy, nominal = self._electrons(dark_mass, track, beamline.energy, rng)
            depth = draw_depth(energy, track.p, rng)
            taken = self._radiated(dark_mass, energy, nominal, rng)
            particles = electron_at_depth(track, energy, depth, energy - taken, beamline, rng)
            truth["vertex_z"] = z_at_depth(depth, beamline)
        return GeneratedEvents(track, particles, np.ones(n_events), truth | {"invisible_energy": taken})

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return emissions within ``min_energy`` and ``min_electron`` per electron, averaged over the masses.

        The closed form of physics.md 4.2, whatever ``emission`` is.
        """
        self._check(beamline)
        per_x0 = N_A * MATERIALS["Pb"].radiation_length / LEAD_A * CM2_PER_PB
        emissions = [self._table(m, beamline.energy)[1].sum() for m in self.masses]
        value = float(np.mean(emissions)) * per_x0 * self.mixing**2
        return NonNegative(value=value, source=f"C: physics.md 4.2 closed form, mixing {self.mixing:g}")

    def _check(self, beamline: Beamline) -> None:
        needed, most = self.min_energy + self.min_electron, 0.9 * beamline.energy
        if needed > most:
            raise ConfigError(
                f"{self.name}: min_energy {self.min_energy:g} and min_electron {self.min_electron:g} leave no emission "
                f"for a beam of {beamline.energy:g} GeV; together they may be {most:g} GeV at most"
            )

    def _table(self, dark_mass: float, initial: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return _emissions(dark_mass, initial, self.min_energy, self.min_electron)

    def _electrons(
        self, dark_mass: NDArray[np.float64], track: BeamTrack, initial: float, rng: Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return energies of radiating electrons in GeV and those of the spectra to be drawn from, ``[n_events]``."""
        uniform, energy, nominal = rng.random(len(track)), np.zeros(len(track)), np.zeros(len(track))
        for value in self.masses:
            now = dark_mass == value
            edges, content = self._table(value, initial)
            drawn = draw_binned(edges, content, uniform[now])
            nominal[now] = middles(edges)[np.searchsorted(edges, drawn) - 1]
            energy[now] = np.clip(drawn * track.p[now] / initial, edges[0], None)
        return energy, nominal

    def _radiated(
        self, dark_mass: NDArray[np.float64], energy: NDArray[np.float64], nominal: NDArray[np.float64], rng: Generator
    ) -> NDArray[np.float64]:
        """Return what electrons of ``energy`` GeV radiate within the limits, by the spectra of ``nominal`` GeV."""
        uniform, taken = rng.random(len(energy)), np.zeros(len(energy))
        for value in self.masses:
            for at in np.unique(nominal[dark_mass == value]):
                now = (dark_mass == value) & (nominal == at)
                low, high = self.min_energy / energy[now], 1 - self.min_electron / energy[now]
                taken[now] = draw_share(value, float(at), uniform[now], low, high) * energy[now]
        return taken


@lru_cache(maxsize=256)
def _emissions(
    dark_mass: float, initial: float, min_energy: float, min_electron: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return bin edges of the energy of electrons in GeV, and cross-section (pb) times track length (X0) in each."""
    edges = np.linspace(max(min_energy + min_electron, 1.05 * dark_mass, SOFTEST), initial, N_BINS + 1)
    energy = middles(edges)
    accepted = [share_between(dark_mass, e, min_energy, e - min_electron) for e in energy]
    return edges, track_length(edges, initial) * cross_section(dark_mass, energy) * np.array(accepted)
