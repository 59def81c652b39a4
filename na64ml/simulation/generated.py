"""Events as a process makes them, before any detector."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from na64ml.simulation.particles import Particles, join

TRUTH_DEFAULTS: Mapping[str, float | int | bool] = {
    "mass": 0.0,
    "invisible_energy": 0.0,
    "vertex_z": 0.0,
    "parent_pdg": 11,
    "srd_forced": False,
    "momentum_forced": False,
}
"""Truth that every event has, with the value of processes that say nothing about it: mass of the dark particle (GeV),
energy it or neutrinos carry away (GeV), z of the decay or interaction (mm), PDG number of the decaying particle,
whether the SRD is forced to see an electron, and whether the spectrometer is forced to measure the nominal momentum."""


@dataclass(frozen=True, eq=False)
class BeamTrack:
    """The incoming beam particle of each event; straight after the spectrometer.

    Parameters
    ----------
    pdg
        int32 ``[n]``.
    p
        float64 ``[n]``: true momentum in GeV.
    slope
        float64 ``[n, 2]``: dx/dz and dy/dz.
    impact
        float64 ``[n, 2]``: x and y in mm of the straight line at z = 0.
    end_z
        float64 ``[n]``: z in mm where the particle decays or interacts; trackers upstream of it see it.
    """

    pdg: NDArray[np.int32]
    p: NDArray[np.float64]
    slope: NDArray[np.float64]
    impact: NDArray[np.float64]
    end_z: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.pdg)

    @property
    def direction(self) -> NDArray[np.float64]:
        """Unit vectors, ``[n, 3]``."""
        vector = np.column_stack([self.slope, np.ones(len(self))])
        return np.asarray(vector / np.linalg.norm(vector, axis=1, keepdims=True))

    @property
    def momentum(self) -> NDArray[np.float64]:
        """Momenta in GeV, ``[n, 3]``."""
        return self.p[:, None] * self.direction

    def select(self, which: NDArray[np.int64]) -> "BeamTrack":
        """Return the chosen particles."""
        return BeamTrack(**{item.name: getattr(self, item.name)[which] for item in fields(self)})

    def at(self, z: ArrayLike) -> NDArray[np.float64]:
        """Return the position in mm at ``z`` (one value or ``[n]``), ``[n, 3]``."""
        where = np.broadcast_to(np.asarray(z, dtype=np.float64), len(self))
        return np.column_stack([self.impact + self.slope * where[:, None], where])


@dataclass(frozen=True, eq=False)
class GeneratedEvents:
    """Events of one process.

    Parameters
    ----------
    track
        The beam particle of each event.
    particles
        What enters the detectors, from where it is made (z of the vertex or of the front face).
    weight
        float64 ``[n]``: 1 for unbiased generation, else nature's density over the density drawn from.
    truth
        Further columns ``[n]``; those of `TRUTH_DEFAULTS` are always there.
    """

    track: BeamTrack
    particles: Particles
    weight: NDArray[np.float64]
    truth: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n_events = len(self.track)
        missing = {name: np.full(n_events, value) for name, value in TRUTH_DEFAULTS.items() if name not in self.truth}
        object.__setattr__(self, "truth", {**missing, **self.truth})
        wrong = [name for name, values in self.truth.items() if values.shape != (n_events,)]
        if wrong or self.weight.shape != (n_events,):
            raise ValueError(f"generated events: {', '.join(wrong) or 'weight'} must have one value for each event")

    def __len__(self) -> int:
        return len(self.track)

    def select(self, which: NDArray[np.int64]) -> "GeneratedEvents":
        """Return the chosen events in the order asked for; each at most once."""
        place = np.full(len(self), -1)
        place[which] = np.arange(len(which))
        kept = self.particles.select(place[self.particles.event] >= 0)
        return GeneratedEvents(
            self.track.select(which),
            kept.renumbered(place[kept.event]),
            self.weight[which],
            {name: values[which] for name, values in self.truth.items()},
        )


def join_events(parts: Sequence[GeneratedEvents]) -> GeneratedEvents:
    """Join events in the order of ``parts``."""
    starts = np.cumsum([0, *(len(part) for part in parts)])
    tracks = {
        item.name: np.concatenate([getattr(part.track, item.name) for part in parts]) for item in fields(BeamTrack)
    }
    moved = [
        part.particles.renumbered(part.particles.event + start) for part, start in zip(parts, starts, strict=False)
    ]
    return GeneratedEvents(
        BeamTrack(**tracks),
        join(*moved),
        np.concatenate([part.weight for part in parts]),
        {name: np.concatenate([part.truth[name] for part in parts]) for name in parts[0].truth},
    )
