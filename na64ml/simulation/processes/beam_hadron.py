"""Beam hadrons that the synchrotron-radiation detector takes for electrons."""

from typing import ClassVar

import numpy as np
from numpy.random import Generator
from pydantic import Field

from na64ml.errors import ConfigError
from na64ml.setups.sourced import AboveZero, NonNegative
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import GeneratedEvents
from na64ml.simulation.processes.base import Process
from na64ml.simulation.processes.beam_composition import mixture_weights, natural_hadrons
from na64ml.simulation.processes.beam_electron import at_front_face
from na64ml.simulation.processes.srd_bias import srd_fake


class BeamHadron(Process):
    """A hadron of the beam line enters the target.

    Parameters
    ----------
    species
        Share of each PDG number in the sample; without it, nature's. Weights undo the difference.
    contamination
        Hadrons per beam particle by PDG number, instead of or beyond those of `beam_composition.CONTAMINATION`.
    srd_forced
        Share of the events that are forced to fake an electron in the SRD, with small weights.
    srd_rejection
        Share of hadrons that fakes an electron in nature (physics.md 3.3 [V-seed]).
    """

    name: ClassVar[str] = "beam_hadron"
    species: dict[int, AboveZero] | None = Field(default=None, min_length=1)
    contamination: dict[int, AboveZero] = Field(default_factory=dict)
    srd_forced: float = Field(default=0.5, ge=0, lt=1)
    srd_rejection: float = Field(default=2e-5, gt=0, lt=1)

    def generate(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        """Make hadrons at the front face."""
        natural = self._natural(beamline)
        pdg, shares = np.array(list(natural)), np.array(list(natural.values()))
        asked = np.array([self.species[one] for one in natural]) if self.species else shares
        chosen = rng.choice(len(pdg), n_events, p=asked / asked.sum())
        track = beamline.particles(n_events, rng, pdg=pdg[chosen], end_z=beamline.front)
        forced, weight = srd_fake(n_events, rng, self.srd_forced, self.srd_rejection)
        weight = weight * mixture_weights(asked, shares)[chosen]
        return GeneratedEvents(track, at_front_face(track), weight, {"srd_forced": forced, "parent_pdg": track.pdg})

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return the hadrons per particle on target, of all species of the sample."""
        value = sum(self._natural(beamline).values())
        return NonNegative(value=value, source="M-L: physics.md 1.2 and 1.11")

    def _natural(self, beamline: Beamline) -> dict[int, float]:
        """Return the species of the sample and their numbers per beam particle.

        Raises
        ------
        ConfigError
            If that of a species is not known.
        """
        known = natural_hadrons(beamline) | self.contamination
        unknown = [pdg for pdg in self.species or () if pdg not in known]
        if unknown:
            raise ConfigError(
                f"{self.name}: key 'species': how many {', '.join(map(str, unknown))} the beam has is not known, only "
                f"{', '.join(map(str, known))}; choose among these, or give them per beam particle in 'contamination'"
            )
        return {pdg: known[pdg] for pdg in self.species or known}
