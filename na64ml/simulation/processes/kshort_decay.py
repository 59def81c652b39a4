"""K0S that leave the dump of the visible mode and decay to two pi0 in front of the ECAL."""

from typing import ClassVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field

from na64ml.setups.sourced import NonNegative
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import GeneratedEvents
from na64ml.simulation.particles import Particles, join, mass, properties
from na64ml.simulation.processes.base import Process
from na64ml.simulation.processes.beam_electron import GAP
from na64ml.simulation.processes.decay_volume import decay_volume
from na64ml.simulation.processes.forced_decay import forced_decay
from na64ml.simulation.processes.hadron_system import PI0, decayed_pi0
from na64ml.simulation.processes.photonuclear import draw_transfers, interactions_above, transfer_bins
from na64ml.simulation.processes.sampling import middles
from na64ml.simulation.processes.two_body import decay_in_two

K0S = 310
TWO_PI0 = 0.3069
"""Branching ratio of K0S -> pi0 pi0 (PDG)."""

LEADING = 0.05
"""Probability that the leading hadron of a photo-nuclear interaction is a K0S (physics.md 3.5 [M-L])."""


class KShortDecay(Process):
    """A leading K0S from the dump and its forced decay to two pi0 in the decay volume.

    A photo-nuclear interaction takes a share y of the beam energy, of which the leading hadron has x.

    Parameters
    ----------
    low
        Smallest share x y of the beam energy that the K0S carries.
    power
        n of the leading-particle spectrum (1 - x)^n (physics.md 3.5 [M-L], 1 to 3).
    """

    name: ClassVar[str] = "kshort_decay"
    low: float = Field(default=0.2, gt=0, lt=1)
    power: float = Field(default=2.0, ge=0)

    def generate(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        """Make decays; the weight is the probability to reach the decay volume and decay in it."""
        region = decay_volume(beamline, self.name)
        track = beamline.particles(n_events, rng, end_z=beamline.front)
        y = draw_transfers(n_events, self.low, self._leads(middles(transfer_bins(self.low))), rng)
        x = 1 - (1 - self.low / y) * rng.random(n_events) ** (1 / (self.power + 1))
        energy, kaon = x * y * track.p, float(mass(K0S))
        momentum = np.sqrt(energy**2 - kaon**2)
        length = momentum / kaon * (properties(K0S).ctau or np.inf)
        start = rng.uniform(beamline.front, region[0], n_events)
        z, weight = forced_decay(start, length, region, rng)
        neutral = float(mass(PI0))
        pair = decay_in_two(kaon, neutral, neutral, momentum[:, None] * track.direction, rng)
        everything, vertex = np.arange(n_events), track.at(z)
        pions = join(*(Particles.build(everything, PI0, vertex, one, secondary=True) for one in pair))
        left = (track.p - energy)[:, None] * track.direction
        electron = Particles.build(everything, track.pdg, track.at(beamline.front - GAP), left)
        truth = {"vertex_z": z, "parent_pdg": np.full(n_events, K0S)}
        return GeneratedEvents(track, decayed_pi0(join(electron, pions), rng), weight, truth)

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return leading K0S -> pi0 pi0 per electron; the weights hold the probability to decay in the volume."""
        decay_volume(beamline, self.name)
        edges = transfer_bins(self.low)
        leading = float(-np.diff(interactions_above(edges)) @ self._leads(middles(edges)))
        value = leading * LEADING * TWO_PI0
        return NonNegative(value=value, source="C + M-L: physics.md 3.3, 3.5; PDG branching ratio")

    def _leads(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the probability that the leading hadron of a transfer ``y`` has enough energy, ``[n]``."""
        return np.asarray((1 - self.low / y) ** (self.power + 1))
