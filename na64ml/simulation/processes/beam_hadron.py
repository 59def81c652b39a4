"""Beam hadrons that the synchrotron-radiation detector takes for electrons."""

from typing import ClassVar

import numpy as np
from numpy.random import Generator
from pydantic import Field

from na64ml.setups.sourced import NonNegative
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import GeneratedEvents
from na64ml.simulation.particles import properties
from na64ml.simulation.processes.base import Process
from na64ml.simulation.processes.beam_electron import at_front_face
from na64ml.simulation.processes.srd_bias import srd_fake

CONTAMINATION = {
    -211: NonNegative(value=3e-3, source="M-L: physics.md 1.11, beam.f_had"),
    211: NonNegative(value=3e-2, source="M-L: physics.md 1.2, positron beam, about one order above electrons"),
    -321: NonNegative(value=9e-6, source="M-L + C: physics.md 1.11, K/e tuned to the published decay background"),
    321: NonNegative(value=9e-5, source="M-L + C: physics.md 1.11, scaled to the positron beam"),
    2212: NonNegative(value=1e-2, source="M-L: physics.md 1.2, Lambda decays feed protons into the positron beam"),
    -2212: NonNegative(value=0.0, source="M-L: physics.md 1.11, antiprotons ignored"),
}
"""Hadrons per beam particle, by PDG number."""


class BeamHadron(Process):
    """A hadron of the beam line enters the target.

    Parameters
    ----------
    species
        Share of each PDG number in the sample; without it, those of `CONTAMINATION` with the charge of the beam.
    srd_forced
        Share of the events that are forced to fake an electron in the SRD, with small weights.
    srd_rejection
        Share of hadrons that fakes an electron in nature (physics.md 3.3 [V-seed]).
    """

    name: ClassVar[str] = "beam_hadron"
    species: dict[int, float] | None = None
    srd_forced: float = Field(default=0.5, ge=0, lt=1)
    srd_rejection: float = Field(default=2e-5, gt=0, lt=1)

    def generate(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        """Make hadrons at the front face."""
        shares = self.species or self._natural(beamline)
        share = np.array(list(shares.values())) / sum(shares.values())
        track = beamline.particles(n_events, rng, pdg=rng.choice(list(shares), n_events, p=share), end_z=beamline.front)
        forced, weight = srd_fake(n_events, rng, self.srd_forced, self.srd_rejection)
        return GeneratedEvents(track, at_front_face(track), weight, {"srd_forced": forced, "parent_pdg": track.pdg})

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return the hadrons per particle on target."""
        species = self.species or self._natural(beamline)
        known = [CONTAMINATION[pdg] for pdg in species if pdg in CONTAMINATION]
        return NonNegative(value=sum(part.value for part in known), source="M-L: physics.md 1.2 and 1.11")

    @staticmethod
    def _natural(beamline: Beamline) -> dict[int, float]:
        sign = properties(beamline.pdg).charge
        return {pdg: part.value for pdg, part in CONTAMINATION.items() if properties(pdg).charge == sign}
