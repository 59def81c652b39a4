"""Energy collected in channels."""

import numpy as np
from numpy.typing import NDArray

from na64ml.simulation.engines.parametric.boxes import NO_CHANNEL, Boxes

Float = NDArray[np.float64]
Int = NDArray[np.int64]


class Table:
    """Collects deposits in channels; slots separate events, and beam particle and secondaries.

    Parameters
    ----------
    boxes
        The boxes of the setup.
    n_slots
        Number of slots.
    """

    def __init__(self, boxes: Boxes, n_slots: int) -> None:
        self._boxes, self._n_slots = boxes, n_slots
        self._index: list[Int] = []
        self._energy: list[Float] = []
        self._points: list[tuple[Int, Int, Float, Float, Float]] = []

    def add(self, slot: Int, channel: Int, energy: Float) -> None:
        """Add energies in GeV; those without a channel are lost."""
        # One more column, the first, holds what is lost.
        self._index.append(slot * (self._boxes.n_channels + 1) + (channel - NO_CHANNEL))
        self._energy.append(energy)

    def add_points(self, slot: Int, box: Int, x: Float, y: Float, energy: Float) -> None:
        """Add energies at points; they go to the channel at x and y (mm) in the plane of their box."""
        self._points.append((slot, self._boxes.plane[box], x, y, energy))

    def _place(self) -> None:
        """Find the channels of all points at once: the points of a generation are often few."""
        if not self._points:
            return
        slot, plane, x, y, energy = (np.concatenate(column) for column in zip(*self._points, strict=True))
        self._points.clear()
        for index, grids in enumerate(self._boxes.planes):
            here = np.flatnonzero(plane == index)
            if len(here):
                for grid in grids:
                    self.add(slot[here], grid.channel_at(x[here], y[here]), energy[here])

    def sums(self) -> Float:
        """Return the sums, ``[n_slots, n_channels]``."""
        self._place()
        if not self._index:
            return np.zeros((self._n_slots, self._boxes.n_channels))
        size = self._n_slots * (self._boxes.n_channels + 1)
        total = np.bincount(np.concatenate(self._index), np.concatenate(self._energy), minlength=size)
        return total.astype(np.float64).reshape(self._n_slots, -1)[:, 1:]
