"""Transport of particles by Geant4."""

import difflib
import os
from importlib import import_module
from typing import Any

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray
from pydantic import Field, field_validator

from na64ml.errors import ConfigError, InputError
from na64ml.setups.setup import Setup
from na64ml.simulation.deposits import Deposits
from na64ml.simulation.engines.base import Engine, Transport
from na64ml.simulation.engines.geant4.geometry import CM, WORLD_HALF_WIDTH, world
from na64ml.simulation.engines.geant4.scoring import Scoring
from na64ml.simulation.particles import MEV, NEUTRINOS, Particles

PHYSICS_LISTS = ("FTFP_BERT", "FTFP_BERT_HP", "QGSP_BERT", "QGSP_BERT_HP", "QGSP_BIC", "QGSP_BIC_HP")

CHUNK_ENERGY = 1000.0
"""GeV transported at once: an electromagnetic shower leaves about 10 MB of steps for every 100 GeV."""


class Geant4(Engine):
    """Full simulation of every particle.

    Parameters
    ----------
    physics
        Hadronic physics list, by the name that Geant4 gives it.
    cut
        Production cut in mm.
    """

    physics: str = "FTFP_BERT"
    cut: float = Field(default=0.7, gt=0)

    @field_validator("physics")
    @classmethod
    def _known(cls, physics: str) -> str:
        if physics not in PHYSICS_LISTS:
            near = difflib.get_close_matches(physics.upper(), PHYSICS_LISTS, n=1, cutoff=0.3)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ValueError(f"unknown physics list; {hint}known are {', '.join(PHYSICS_LISTS)}")
        return physics

    def open(self, setup: Setup) -> Transport:
        """Build the geometry of the setup and check it for overlaps.

        Raises
        ------
        ConfigError
            If ``calzone`` is not installed or volumes overlap.
        """
        calzone = _calzone()
        definition, limits = world(setup)
        geometry = calzone.Geometry(definition)
        try:
            geometry.check()
        except calzone.Geant4Exception as error:
            raise ConfigError(f"setup '{setup.name}': {error}; correct positions or sizes of the detectors") from error
        simulation = calzone.Simulation(geometry)
        simulation.physics = calzone.Physics(default_cut=self.cut * CM, had_model=self.physics)
        simulation.sample_deposits = "detailed"
        simulation.sample_particles = True
        return _Geant4Transport(setup, calzone, simulation, limits)


class _Geant4Transport(Transport):
    def __init__(self, setup: Setup, calzone: Any, simulation: Any, limits: tuple[float, float]) -> None:
        self._setup, self._calzone, self._simulation, self._limits = setup, calzone, simulation, limits

    def run(self, particles: Particles, n_events: int, seed: SeedSequence) -> Deposits:
        """Transport particles, one Geant4 event for each.

        Raises
        ------
        ConfigError
            If the data tables of Geant4 are missing, or it does not know a particle.
        InputError
            If a particle starts outside the world.
        """
        visible = particles.select(~np.isin(particles.pdg, NEUTRINOS))
        self._check_inside(visible)
        self._simulation.random.seed = int(seed.generate_state(1, np.uint64)[0])
        scoring = Scoring(self._setup, n_events)
        for chunk in _chunks(visible.kinetic_energy):
            some = visible.select(chunk)
            try:
                scoring.add(self._simulation.run(self._primaries(some)), some)
            except FileNotFoundError as error:
                raise ConfigError(
                    f"Geant4: {error}; set GEANT4_DATA_DIR (now {os.environ.get('GEANT4_DATA_DIR', 'not set')}) to the "
                    "folder of its data tables, or fetch them with: python -m calzone download"
                ) from error
            except (ValueError, self._calzone.Geant4Exception) as error:
                raise ConfigError(_cannot_transport(some, error)) from error
        return scoring.deposits()

    def _primaries(self, particles: Particles) -> Any:
        primaries = self._calzone.particles(len(particles))
        primaries["pid"] = particles.pdg
        primaries["energy"] = particles.kinetic_energy / MEV
        middle = np.array([0.0, 0.0, sum(self._limits) / 2])
        primaries["position"] = (particles.position - middle) * CM
        momentum = np.linalg.norm(particles.momentum, axis=1, keepdims=True)
        primaries["direction"] = particles.momentum / momentum
        return primaries

    def _check_inside(self, particles: Particles) -> None:
        first, last = self._limits
        x, y, z = particles.position.T
        outside = (z <= first) | (z >= last) | (np.maximum(np.abs(x), np.abs(y)) >= WORLD_HALF_WIDTH)
        if outside.any():
            start = particles.position[outside][0].round(1).tolist()
            raise InputError(
                f"setup '{self._setup.name}': a particle starts at {start} mm, outside the simulated world "
                f"(z from {first:g} to {last:g} mm, half width {WORLD_HALF_WIDTH:g} mm); correct the process"
            )


def _chunks(energy: NDArray[np.float64]) -> list[NDArray[np.int64]]:
    """Split the particles so that no chunk has much more than `CHUNK_ENERGY`."""
    if not len(energy):
        return []
    chunk = (np.cumsum(energy) // CHUNK_ENERGY).astype(np.int64)
    return np.split(np.arange(len(energy)), np.flatnonzero(np.diff(chunk)) + 1)


def _cannot_transport(particles: Particles, error: Exception) -> str:
    """Return what is wrong; Geant4 names the particle by its PDG number or by a name of its own."""
    sent = np.unique(particles.pdg).tolist()
    numbers = [number for number in sent if f"'{number}'" in str(error)] or sent
    reason = " ".join(str(error).split()).rstrip(".")
    return (
        f"Geant4: PDG number {' or '.join(map(str, numbers))}: cannot be transported ({reason}); let the process decay "
        "it, or replace it by a particle that Geant4 knows"
    )


def _calzone() -> Any:
    try:
        return import_module("calzone")
    except ModuleNotFoundError as error:
        raise ConfigError("the geant4 engine needs the package calzone: pip install 'na64ml[geant4]'") from error
