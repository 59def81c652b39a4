"""Hadron electroproduction in material upstream of the target, the leading reducible background."""

from typing import ClassVar

import numpy as np
from numpy.random import Generator
from pydantic import Field

from na64ml.errors import ConfigError
from na64ml.setups.setup import MaterialPlane
from na64ml.setups.sourced import NonNegative
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import GeneratedEvents
from na64ml.simulation.particles import Particles, join
from na64ml.simulation.processes.acceptance import enrich, misses
from na64ml.simulation.processes.base import Process
from na64ml.simulation.processes.energy_transfer import EnergyTransfer
from na64ml.simulation.processes.hadron_system import HadronSystem

RATE_PER_PERCENT = 3.9e-7, 0.4
"""Interactions per electron and 1 % X0 of light material with y > 0.4 (physics.md 3.3 [C])."""


class Electroproduction(Process):
    """The electron gives part of its energy to hadrons at one of the material planes of the setup.

    Parameters
    ----------
    transfer
        Energy transfer; ``hard`` and ``hard_fraction`` bias it.
    hadrons
        How it is shared.
    scatter
        Angle in rad by which the electron is scattered, gaussian in each projection.
    miss_fraction
        Share of the sample in which all secondaries miss the HCAL (the dangerous corner); 0 leaves nature's.
    """

    name: ClassVar[str] = "electroproduction"
    transfer: EnergyTransfer = EnergyTransfer(low=0.3, high=0.97)
    hadrons: HadronSystem = HadronSystem()
    scatter: float = Field(default=3e-4, ge=0)
    miss_fraction: float = Field(default=0.0, ge=0, lt=1)

    def generate(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        """Make interactions; every event has one (forced interaction), see `rate` for how often they happen."""
        if self.miss_fraction == 0:
            return self._interactions(n_events, beamline, rng)
        return enrich(
            lambda n: self._interactions(n, beamline, rng),
            lambda events: misses(beamline.setup, events.particles, len(events)),
            n_events,
            self.miss_fraction,
            rng,
        )

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return interactions per electron in the range of the transfer, in all planes."""
        percent = 100 * sum(plane.radiation_lengths.value for plane in _planes(beamline))
        above, threshold = RATE_PER_PERCENT
        per_log = above / np.log(1 / threshold)
        value = per_log * np.log(self.transfer.high / self.transfer.low) * percent
        return NonNegative(value=float(value), source="C: physics.md 3.3, light material, extended as 1/y")

    def _interactions(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        planes = _planes(beamline)
        thickness = np.array([plane.radiation_lengths.value for plane in planes])
        z = rng.choice([plane.z.value for plane in planes], n_events, p=thickness / thickness.sum())
        track = beamline.particles(n_events, rng, end_z=z)
        y, weight = self.transfer.draw(n_events, rng)
        vertex = track.at(z)
        slope = track.slope + rng.normal(0, self.scatter, (n_events, 2))
        direction = np.column_stack([slope, np.ones(n_events)])
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        electron = Particles.build(np.arange(n_events), track.pdg, vertex, ((1 - y) * track.p)[:, None] * direction)
        hadrons = self.hadrons.generate(y * track.p, vertex, track.direction, rng)
        return GeneratedEvents(track, join(electron, hadrons), weight, {"vertex_z": z})


def _planes(beamline: Beamline) -> tuple[MaterialPlane, ...]:
    planes = beamline.setup.upstream
    if not planes:
        raise ConfigError(
            f"setup '{beamline.setup.name}': key 'upstream': no material, so nothing interacts upstream; list its "
            "planes with name, z and radiation_lengths"
        )
    return planes
