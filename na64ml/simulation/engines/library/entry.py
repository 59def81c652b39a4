"""Where particles enter detectors on their straight lines."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from na64ml.setups.detectors import Calorimeter
from na64ml.simulation.library.tiled import Tiled, bounds
from na64ml.simulation.particles import Particles

MISSED = -1
"""Detector index of particles that enter nothing."""

STEEPEST = 1.0
"""Larger slopes count as this one: such particles are soft, and stop near the place where they start."""


@dataclass(frozen=True, eq=False)
class Entries:
    """Where each particle enters.

    Parameters
    ----------
    detector
        int64 ``[n]``: index of the detector that is entered first, or `MISSED`.
    z
        float64 ``[n]``: z in mm of the place.
    depth
        float64 ``[n]``: distance in mm of it from the front face; 0 for particles that enter through that face.
    start, slope
        float64 ``[n, 3]`` and ``[n, 2]``: the straight line.
    """

    detector: NDArray[np.int64]
    z: NDArray[np.float64]
    depth: NDArray[np.float64]
    start: NDArray[np.float64]
    slope: NDArray[np.float64]

    def select(self, which: NDArray[np.int64]) -> "Entries":
        """Return the chosen particles."""
        return Entries(**{item.name: getattr(self, item.name)[which] for item in fields(self)})

    def at(self, z: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Return x and y in mm at ``z``, one value or ``[n]``; ``[n, 2]``."""
        return self.start[:, :2] + self.slope * (np.asarray(z) - self.start[:, 2])[:, None]


def find_entries(particles: Particles, detectors: tuple[Tiled, ...]) -> Entries:
    """Return which detector each particle enters first, and where.

    A calorimeter with a hole is entered through its front face, its sides or the walls of the hole. Particles that
    start inside a detector enter it there, whatever their direction; others that fly backwards enter nothing.
    """
    n = len(particles)
    along = particles.momentum[:, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = particles.momentum[:, :2] / np.abs(along)[:, None]
    slope = np.clip(np.nan_to_num(slope, nan=0.0), -STEEPEST, STEEPEST)
    line = Entries(np.full(n, MISSED), np.full(n, np.inf), np.zeros(n), particles.position, slope)
    found, z = line.detector, line.z
    for index, detector in enumerate(detectors):
        here = _first_inside(line, detector)
        here[(along <= 0) & (here > particles.position[:, 2])] = np.inf
        nearer = here < z
        found, z = np.where(nearer, index, found), np.where(nearer, here, z)
    front = np.array([bounds(detector)[0][2] for detector in detectors])
    depth = np.where(found == MISSED, 0.0, z - front[found])
    return Entries(found, z, np.where(depth < 1e-6, 0.0, depth), line.start, slope)


def _first_inside(line: Entries, detector: Tiled) -> NDArray[np.float64]:
    """Return the first z in mm at which a line, from its start on, is inside the body of a detector, or infinity."""
    low, high = bounds(detector)
    enters, leaves = _crossing(line, low[:2], high[:2])
    first = np.maximum(np.maximum(enters, low[2]), line.start[:, 2])
    last = np.minimum(leaves, high[2])
    if isinstance(detector, Calorimeter) and detector.hole is not None:
        centre = (low + high)[:2] / 2
        half = detector.hole.value / 2
        opens, closes = _crossing(line, centre - half, centre + half)
        first = np.where((opens <= first) & (first < closes), closes, first)
    return np.where(first < last, first, np.inf)


def _crossing(
    line: Entries, low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the z in mm between which lines are inside a square column; the first above the second if never."""
    position, slope = line.start[:, :2], line.slope
    with np.errstate(divide="ignore", invalid="ignore"):
        faces = np.stack([(low - position) / slope, (high - position) / slope])
    inside = (position > low) & (position < high)
    parallel = slope == 0
    first = np.where(parallel, np.where(inside, -np.inf, np.inf), faces.min(axis=0))
    last = np.where(parallel, np.where(inside, np.inf, -np.inf), faces.max(axis=0))
    return first.max(axis=1) + line.start[:, 2], last.min(axis=1) + line.start[:, 2]
