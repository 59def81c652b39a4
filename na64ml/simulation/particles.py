"""Particles of many events, in columns."""

from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from particle import InvalidParticle, Particle, ParticleNotFound

from na64ml.errors import ConfigError

MEV = 1e-3
"""One MeV in GeV; the ``particle`` package states masses in MeV."""

NEUTRINOS = (12, 14, 16, -12, -14, -16)
"""They leave no energy: engines do not transport them."""


@dataclass(frozen=True, eq=False)
class Particles:
    """Particles where and with what momentum they start; the event column is sorted.

    Parameters
    ----------
    event
        int64 ``[n]``: event index.
    pdg
        int32 ``[n]``: PDG Monte Carlo number.
    position
        float64 ``[n, 3]`` in mm.
    momentum
        float64 ``[n, 3]`` in GeV.
    secondary
        bool ``[n]``: false for what is left of the beam particle, whose deposits are kept apart as truth.
    """

    event: NDArray[np.int64]
    pdg: NDArray[np.int32]
    position: NDArray[np.float64]
    momentum: NDArray[np.float64]
    secondary: NDArray[np.bool_]

    @classmethod
    def build(
        cls, event: ArrayLike, pdg: ArrayLike, position: ArrayLike, momentum: ArrayLike, *, secondary: ArrayLike = False
    ) -> "Particles":
        """Return particles sorted by event; scalars and single vectors are repeated for every particle."""
        index = np.atleast_1d(np.asarray(event, dtype=np.int64))
        order, n = np.argsort(index, kind="stable"), len(index)
        return cls(
            event=index[order],
            pdg=np.broadcast_to(np.asarray(pdg, dtype=np.int32), n)[order],
            position=np.broadcast_to(np.asarray(position, dtype=np.float64), (n, 3))[order],
            momentum=np.broadcast_to(np.asarray(momentum, dtype=np.float64), (n, 3))[order],
            secondary=np.broadcast_to(np.asarray(secondary, dtype=np.bool_), n)[order],
        )

    def __len__(self) -> int:
        return len(self.event)

    @property
    def energy(self) -> NDArray[np.float64]:
        """Total energy in GeV, ``[n]``."""
        squared = (self.momentum**2).sum(axis=1) + mass(self.pdg) ** 2
        return np.asarray(np.sqrt(squared))

    @property
    def kinetic_energy(self) -> NDArray[np.float64]:
        """Kinetic energy in GeV, ``[n]``."""
        return self.energy - mass(self.pdg)

    def select(self, which: NDArray[np.bool_] | NDArray[np.integer[Any]]) -> "Particles":
        """Return the chosen particles."""
        return Particles(**{item.name: getattr(self, item.name)[which] for item in fields(self)})

    def renumbered(self, event: NDArray[np.int64]) -> "Particles":
        """Return the particles with other event indices, sorted by them."""
        columns = {item.name: getattr(self, item.name) for item in fields(self)}
        return Particles.build(**(columns | {"event": event}))

    def at(self, z: ArrayLike) -> NDArray[np.float64]:
        """Return x and y in mm where the straight line of each particle reaches ``z`` in mm, ``[n, 2]``."""
        distance = np.asarray(z, dtype=np.float64) - self.position[:, 2]
        return self.position[:, :2] + self.momentum[:, :2] / self.momentum[:, 2:] * distance[:, None]


def join(*parts: Particles) -> Particles:
    """Join particles of the same events; within an event the order of ``parts`` is kept."""
    columns = {item.name: np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(Particles)}
    return Particles.build(columns.pop("event"), **columns)


def mass(pdg: ArrayLike) -> NDArray[np.float64]:
    """Return masses in GeV from the PDG tables of the ``particle`` package."""
    return _table(pdg, lambda number: (properties(number).mass or 0.0) * MEV)


def charge(pdg: ArrayLike) -> NDArray[np.float64]:
    """Return electric charges in units of the elementary charge."""
    return _table(pdg, lambda number: properties(number).charge or 0.0)


@cache
def properties(pdg: int) -> Particle:
    """Return the PDG properties of a particle.

    Raises
    ------
    ConfigError
        If the number belongs to no known particle.
    """
    try:
        return Particle.from_pdgid(pdg)
    except (ParticleNotFound, InvalidParticle) as error:
        raise ConfigError(f"PDG number {pdg}: no such particle; see the Monte Carlo numbering of the PDG") from error


def _table(pdg: ArrayLike, value: Any) -> NDArray[np.float64]:
    numbers, inverse = np.unique(np.asarray(pdg), return_inverse=True)
    return np.array([value(int(number)) for number in numbers], dtype=np.float64)[inverse]
