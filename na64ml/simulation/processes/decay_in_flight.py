"""Decays of beam pions, kaons and muons in flight, the leading irreducible background."""

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, field_validator

from na64ml.setups.sourced import NonNegative
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import BeamTrack, GeneratedEvents
from na64ml.simulation.particles import Particles, join, mass, properties
from na64ml.simulation.processes.base import Process
from na64ml.simulation.processes.hadron_system import PI0, decayed_pi0
from na64ml.simulation.processes.srd_bias import srd_fake
from na64ml.simulation.processes.three_body import ke3, muon_electrons
from na64ml.simulation.processes.two_body import decay_in_two


class Channel(NamedTuple):
    """A decay channel: parent, branching ratio, contamination of the beam with parents, and their sources."""

    parent: int
    branching: float
    contamination: float
    source: str


CHANNELS: Mapping[str, Channel] = {
    "pi_enu": Channel(211, 1.23e-4, 3e-3, "M-L: physics.md 1.11 f_had; 3.4 [C]"),
    "pi_munu": Channel(211, 0.99988, 3e-3, "M-L: physics.md 1.11 f_had; PDG branching ratio"),
    "k_pi0enu": Channel(321, 5.07e-2, 9e-6, "M-L + C: physics.md 1.11 K/e; 3.4 [C]"),
    "k_pipi0": Channel(321, 0.2067, 9e-6, "M-L + C: physics.md 1.11 K/e; PDG branching ratio"),
    "k_munu": Channel(321, 0.6356, 9e-6, "M-L + C: physics.md 1.11 K/e; PDG branching ratio"),
    "mu_enunu": Channel(13, 1.0, 4e-4, "?: physics.md 1.11 f_mu, placeholder"),
}
"""The channels by name; PDG branching ratios of the Review of Particle Physics."""

REFERENCE_MIX = {"pi_enu": 0.15, "k_pi0enu": 0.35, "mu_enunu": 0.5}


class DecayInFlight(Process):
    """A beam particle decays between the spectrometer and the target.

    The decay is forced; `rate` has the probability. Weights are those of the SRD bias; the shares of the channels are
    those asked for, ``mix: nature`` takes them from branching ratios, lifetimes and beam contaminations.

    Parameters
    ----------
    mix
        Share of each channel of `CHANNELS`, or ``nature``.
    z
        Range in mm of the decay vertex; uniform, because decay lengths are far longer.
    srd_forced, srd_rejection
        See `~na64ml.simulation.processes.srd_bias.srd_fake`.
    muon_polarisation
        Polarisation of the decaying muons along their flight.
    """

    name: ClassVar[str] = "decay_in_flight"
    mix: dict[str, float] | str = Field(default_factory=lambda: dict(REFERENCE_MIX))
    z: tuple[float, float] = (-20000.0, -500.0)
    srd_forced: float = Field(default=0.5, ge=0, lt=1)
    srd_rejection: float = Field(default=2e-5, gt=0, lt=1)
    muon_polarisation: float = Field(default=-1.0, ge=-1, le=1)

    @field_validator("mix")
    @classmethod
    def _known_channels(cls, mix: dict[str, float] | str) -> dict[str, float] | str:
        wrong = {mix} - {"nature"} if isinstance(mix, str) else set(mix) - set(CHANNELS)
        if wrong:
            raise ValueError(
                f"unknown channel {', '.join(sorted(wrong))}; known are {', '.join(CHANNELS)}, or 'nature'"
            )
        return mix

    def generate(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        """Make decays."""
        shares = self._shares(beamline)
        names = list(shares)
        channel = rng.choice(len(names), n_events, p=np.array(list(shares.values())) / sum(shares.values()))
        parent = np.array([CHANNELS[name].parent for name in names])[channel]
        z = rng.uniform(*self.z, n_events)
        track = beamline.particles(n_events, rng, pdg=parent, end_z=z)
        parts = [self._daughters(name, np.flatnonzero(channel == i), track, rng) for i, name in enumerate(names)]
        particles = decayed_pi0(join(*parts), rng)
        visible = np.bincount(particles.event, particles.energy, minlength=n_events)
        total = np.sqrt(track.p**2 + mass(parent) ** 2)
        forced, weight = srd_fake(n_events, rng, self.srd_forced, self.srd_rejection)
        truth = {
            "vertex_z": z,
            "parent_pdg": parent,
            "invisible_energy": np.clip(total - visible, 0, None),
            "srd_forced": forced,
        }
        return GeneratedEvents(track, particles, weight, truth)

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return such decays per particle on target, before the SRD."""
        names = CHANNELS if self.mix == "nature" else self.mix
        value = sum(self._probability(name, beamline.energy) for name in names)
        return NonNegative(value=value, source="M-L + C: physics.md 1.11 contaminations, 3.4 decay probabilities")

    def _shares(self, beamline: Beamline) -> dict[str, float]:
        if isinstance(self.mix, dict):
            return self.mix
        return {name: self._probability(name, beamline.energy) for name in CHANNELS}

    def _probability(self, name: str, energy: float) -> float:
        channel = CHANNELS[name]
        length = self.z[1] - self.z[0]
        return channel.contamination * channel.branching * decay_probability(channel.parent, energy, length)

    def _daughters(self, name: str, event: NDArray[np.int64], track: BeamTrack, rng: Generator) -> Particles:
        parent = CHANNELS[name].parent
        momentum, vertex = track.momentum[event], track.at(track.end_z)[event]

        def made(pdg: int, daughter: NDArray[np.float64], *, secondary: bool = False) -> Particles:
            return Particles.build(event, pdg, vertex, daughter, secondary=secondary)

        if name == "mu_enunu":
            return made(11, muon_electrons(momentum, self.muon_polarisation, rng))
        if name == "k_pi0enu":
            electron, pion = ke3(momentum, rng)
            return join(made(11, electron), made(PI0, pion, secondary=True))
        if name == "k_pipi0":
            charged, neutral = decay_in_two(float(mass(parent)), float(mass(211)), float(mass(PI0)), momentum, rng)
            return join(made(-211, charged, secondary=True), made(PI0, neutral, secondary=True))
        lepton = 11 if name == "pi_enu" else 13
        first, _ = decay_in_two(float(mass(parent)), float(mass(lepton)), 0.0, momentum, rng)
        return made(lepton, first, secondary=lepton == 13)


def decay_probability(pdg: int, energy: float, length: float) -> float:
    """Return the probability to decay within ``length`` mm (lifetimes of the PDG, from the package ``particle``)."""
    return float(1 - np.exp(-length / decay_length(pdg, energy)))


def decay_length(pdg: int, energy: float) -> float:
    """Return the mean decay length p/m c tau in mm at a total energy in GeV."""
    particle_mass = float(mass(pdg))
    return float(np.sqrt(energy**2 - particle_mass**2) / particle_mass * (properties(pdg).ctau or np.inf))
