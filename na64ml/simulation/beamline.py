"""The beam as processes see it: what arrives at the target of a setup in one run."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike
from particle import Particle

from na64ml.setups.conditions import RunConditions
from na64ml.setups.setup import Setup
from na64ml.simulation.generated import BeamTrack


@dataclass(frozen=True)
class Beamline:
    """The beam of a setup under the conditions of one run.

    Parameters
    ----------
    setup
        The setup; its beam has energy, spread, divergence and spot.
    conditions
        Conditions of the run; they say where the beam hits the target, and its energy where it is another one.
    """

    setup: Setup
    conditions: RunConditions

    @property
    def energy(self) -> float:
        """Nominal energy in GeV of the run."""
        return self.conditions.nominal_energy(self.setup)

    @property
    def front(self) -> float:
        """Front face of the target, z in mm."""
        return self.setup.target_calorimeter.segments[0].z_min

    @property
    def pdg(self) -> int:
        """PDG number of the beam particle."""
        return _pdg(self.setup.beam.particle)

    def particles(
        self, n_events: int, rng: Generator, *, pdg: ArrayLike | None = None, end_z: ArrayLike = 0.0
    ) -> BeamTrack:
        """Draw beam particles: gaussian momentum, divergence and spot.

        Parameters
        ----------
        n_events
            Number of beam particles.
        rng
            Random numbers.
        pdg
            PDG numbers instead of the nominal beam particle, one or ``[n_events]``.
        end_z
            Where each decays or interacts, z in mm, one or ``[n_events]``.
        """
        beam = self.setup.beam
        spot = np.array([beam.sigma_x.value, beam.sigma_y.value])
        divergence = beam.divergence.value if beam.divergence else 0.0
        return BeamTrack(
            pdg=np.broadcast_to(np.asarray(self.pdg if pdg is None else pdg, dtype=np.int32), n_events).copy(),
            p=rng.normal(self.energy, self.energy * beam.momentum_spread.value, n_events),
            slope=rng.normal(0.0, divergence, (n_events, 2)),
            impact=rng.normal(self.conditions.impact_point(self.setup), spot, (n_events, 2)),
            end_z=np.broadcast_to(np.asarray(end_z, dtype=np.float64), n_events).copy(),
        )


@cache
def _pdg(name: str) -> int:
    """Return the PDG number of a particle; looking it up takes a tenth of a second."""
    return int(Particle.from_name(name).pdgid)
