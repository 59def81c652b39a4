"""Decays of beam pions, kaons and muons in flight, the leading irreducible background."""

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field, field_validator

from na64ml.setups.sourced import AboveZero, NonNegative
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import BeamTrack, GeneratedEvents
from na64ml.simulation.particles import Particles, charge, join, mass, properties
from na64ml.simulation.processes.base import Process
from na64ml.simulation.processes.beam_composition import CONTAMINATION, beam_sign, mixture_weights
from na64ml.simulation.processes.hadron_system import PI0, decayed_pi0
from na64ml.simulation.processes.srd_bias import srd_fake
from na64ml.simulation.processes.three_body import ke3, muon_electrons
from na64ml.simulation.processes.two_body import decay_in_two


class Channel(NamedTuple):
    """A decay channel: parent as in a beam of positrons, its branching ratio, and its source."""

    parent: int
    branching: float
    source: str


CHANNELS: Mapping[str, Channel] = {
    "pi_enu": Channel(211, 1.23e-4, "C: physics.md 3.4; PDG"),
    "pi_munu": Channel(211, 0.99988, "C: PDG"),
    "k_pi0enu": Channel(321, 5.07e-2, "C: physics.md 3.4; PDG"),
    "k_pipi0": Channel(321, 0.2067, "C: PDG"),
    "k_munu": Channel(321, 0.6356, "C: PDG"),
    "mu_enunu": Channel(-13, 1.0, "C: PDG"),
}
"""The channels by name, with branching ratios of the PDG; K -> 3 pi and K -> pi0 mu nu are left out."""

REFERENCE_MIX = {"pi_enu": 0.15, "k_pi0enu": 0.35, "mu_enunu": 0.5}


class DecayInFlight(Process):
    """A beam particle decays between the spectrometer and the target.

    The decay is forced; `rate` has the probability. Weights are those of the SRD bias times the natural share of the
    channel among those of the mix over that asked for; natural are branching ratios, lifetimes and the composition of
    the beam. Parents have the charge of the beam.

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
    mix: dict[str, AboveZero] | str = Field(default_factory=lambda: dict(REFERENCE_MIX))
    z: tuple[float, float] = (-20000.0, -500.0)
    srd_forced: float = Field(default=0.5, ge=0, lt=1)
    srd_rejection: float = Field(default=2e-5, gt=0, lt=1)
    muon_polarisation: float = Field(default=-1.0, ge=-1, le=1)

    @field_validator("mix")
    @classmethod
    def _known_channels(cls, mix: dict[str, float] | str) -> dict[str, float] | str:
        if not mix:
            raise ValueError(f"no channel; choose among {', '.join(CHANNELS)}, or give 'nature'")
        wrong = {mix} - {"nature"} if isinstance(mix, str) else set(mix) - set(CHANNELS)
        if wrong:
            raise ValueError(
                f"unknown channel {', '.join(sorted(wrong))}; known are {', '.join(CHANNELS)}, or 'nature'"
            )
        return mix

    @field_validator("z")
    @classmethod
    def _in_order(cls, z: tuple[float, float]) -> tuple[float, float]:
        if not z[0] < z[1]:
            raise ValueError(f"{z[0]:g} to {z[1]:g} mm is no range; give the upstream end first")
        return z

    def generate(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        """Make decays."""
        natural = self._natural(beamline)
        names, shares = list(natural), np.array(list(natural.values()))
        asked = np.array([self.mix[name] for name in names]) if isinstance(self.mix, dict) else shares
        channel = rng.choice(len(names), n_events, p=asked / asked.sum())
        parent = np.array([CHANNELS[name].parent for name in names])[channel] * beam_sign(beamline)
        z = rng.uniform(*self.z, n_events)
        track = beamline.particles(n_events, rng, pdg=parent, end_z=z)
        parts = [self._daughters(name, np.flatnonzero(channel == i), track, rng) for i, name in enumerate(names)]
        particles = decayed_pi0(join(*parts), rng)
        visible = np.bincount(particles.event, particles.energy, minlength=n_events)
        total = np.sqrt(track.p**2 + mass(parent) ** 2)
        forced, weight = srd_fake(n_events, rng, self.srd_forced, self.srd_rejection)
        weight = weight * mixture_weights(asked, shares)[channel]
        truth = {
            "vertex_z": z,
            "parent_pdg": parent,
            "invisible_energy": np.clip(total - visible, 0, None),
            "srd_forced": forced,
        }
        return GeneratedEvents(track, particles, weight, truth)

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return such decays per particle on target, before the SRD."""
        value = sum(self._natural(beamline).values())
        return NonNegative(value=value, source="M-L + C: physics.md 1.2, 1.11 composition, 3.4 decay probabilities")

    def _natural(self, beamline: Beamline) -> dict[str, float]:
        """Return decays per beam particle of each channel of the mix."""
        length, found = self.z[1] - self.z[0], {}
        for name in self.mix if isinstance(self.mix, dict) else CHANNELS:
            parent = CHANNELS[name].parent * beam_sign(beamline)
            decays = CONTAMINATION[parent].value * decay_probability(parent, beamline.energy, length)
            found[name] = decays * CHANNELS[name].branching
        return found

    def _daughters(self, name: str, event: NDArray[np.int64], track: BeamTrack, rng: Generator) -> Particles:
        if not len(event):
            return Particles.build([], 11, [0.0, 0.0, 0.0], [0.0, 0.0, 0.0])
        parent = int(track.pdg[event[0]])
        momentum, vertex = track.momentum[event], track.at(track.end_z)[event]
        # PDG numbers of leptons are negative where those of mesons of the same charge are positive.
        electron, muon, pion = (number * int(np.sign(charge(parent))) for number in (-11, -13, 211))

        def made(pdg: int, daughter: NDArray[np.float64], *, secondary: bool = False) -> Particles:
            return Particles.build(event, pdg, vertex, daughter, secondary=secondary)

        if name == "mu_enunu":
            return made(electron, muon_electrons(momentum, self.muon_polarisation, rng))
        if name == "k_pi0enu":
            first, neutral = ke3(momentum, rng)
            return join(made(electron, first), made(PI0, neutral, secondary=True))
        if name == "k_pipi0":
            first, neutral = decay_in_two(float(mass(parent)), float(mass(pion)), float(mass(PI0)), momentum, rng)
            return join(made(pion, first, secondary=True), made(PI0, neutral, secondary=True))
        lepton = electron if name == "pi_enu" else muon
        first, _ = decay_in_two(float(mass(parent)), float(mass(lepton)), 0.0, momentum, rng)
        return made(lepton, first, secondary=lepton == muon)


def decay_probability(pdg: int, energy: float, length: float) -> float:
    """Return the probability to decay within ``length`` mm (lifetimes of the PDG, from the package ``particle``)."""
    return float(1 - np.exp(-length / decay_length(pdg, energy)))


def decay_length(pdg: int, energy: float) -> float:
    """Return the mean decay length p/m c tau in mm at a total energy in GeV."""
    particle_mass = float(mass(pdg))
    return float(np.sqrt(energy**2 - particle_mass**2) / particle_mass * (properties(pdg).ctau or np.inf))
