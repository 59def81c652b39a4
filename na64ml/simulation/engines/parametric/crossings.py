"""Charged particles at tracker planes."""

import numpy as np
from numpy.typing import NDArray

from na64ml.setups.detectors import Tracker
from na64ml.setups.setup import Setup
from na64ml.simulation.deposits import Crossings

Float = NDArray[np.float64]
Int = NDArray[np.int64]


class TrackerPlanes:
    """Collects where charged particles cross the planes of a setup downstream.

    Parameters
    ----------
    setup
        The setup.
    first_event
        Event of slot 0; there are two slots for each event.
    """

    def __init__(self, setup: Setup, first_event: int) -> None:
        planes = [plane for detector in setup.detectors if isinstance(detector, Tracker) for plane in detector.planes]
        self._planes = [(plane.z.value, plane.half_x.value, plane.half_y.value) for plane in planes]
        self._first_event = first_event
        self._found: list[tuple[Int, Int, Float]] = []

    def add(self, slot: Int, origin: Float, direction: Float, end: Float) -> None:
        """Add straight tracks, ``end`` being the path length in mm where each stops."""
        for index, (z, half_x, half_y) in enumerate(self._planes):
            before = np.flatnonzero((origin[:, 2] < z) & (direction[:, 2] > 0))
            if not len(before):
                continue
            path = (z - origin[before, 2]) / direction[before, 2]
            where = origin[before, :2] + direction[before, :2] * path[:, None]
            inside = (path < end[before]) & (np.abs(where[:, 0]) < half_x) & (np.abs(where[:, 1]) < half_y)
            event = slot[before[inside]] // 2 + self._first_event
            self._found.append((event, np.full(len(event), index), where[inside]))

    def columns(self) -> tuple[Int, Int, Float]:
        """Return event, plane and position."""
        empty = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 2)))
        event, plane, position = zip(empty, *self._found, strict=True)
        return np.concatenate(event), np.concatenate(plane), np.concatenate(position)


def sorted_crossings(parts: list[tuple[Int, Int, Float]]) -> Crossings:
    """Return all crossings, sorted by event and plane."""
    event, plane, position = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((plane, event))
    return Crossings(event[order], plane[order].astype(np.int16), position[order])
