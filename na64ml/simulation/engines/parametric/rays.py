"""Straight lines through the boxes of a setup."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from na64ml.simulation.engines.parametric.boxes import Boxes

Float = NDArray[np.float64]
Int = NDArray[np.int64]

NEVER = 1e9
"""Path length in mm at which no box is entered."""


@dataclass(frozen=True, eq=False)
class Rays:
    """Lines and the boxes along them.

    Parameters
    ----------
    boxes
        The boxes.
    origin, direction
        ``[n, 3]``: start in mm and unit vector.
    box
        ``[n, k]``: boxes in the order they are crossed; 0 where there are fewer.
    enter, leave
        ``[n, k]``: path length in mm from the origin; equal where there is no box.
    """

    boxes: Boxes
    origin: Float
    direction: Float
    box: Int
    enter: Float
    leave: Float

    def __len__(self) -> int:
        return len(self.origin)

    def cumulated(self, name: str) -> Float:
        """Return the sum of a property of `~.medium.Medium` along the line up to each box, ``[n, k + 1]``."""
        result = np.zeros((len(self), self.box.shape[1] + 1))
        np.cumsum((self.leave - self.enter) * self.boxes.media[name][self.box], axis=1, out=result[:, 1:])
        return result

    @cached_property
    def radiation(self) -> Float:
        """Radiation lengths at the border of each box, ``[n, k + 1]``."""
        return self.cumulated("radiation")

    @cached_property
    def interaction(self) -> Float:
        """Interaction lengths at the border of each box, ``[n, k + 1]``."""
        return self.cumulated("interaction")

    @cached_property
    def loss(self) -> Float:
        """Ionisation loss of a minimum-ionising particle in GeV at the border of each box, ``[n, k + 1]``."""
        return self.cumulated("loss")

    def box_at(self, step: Int) -> Int:
        """Return one box of each line."""
        return self.box[np.arange(len(self)), step]

    def property(self, name: str, step: Int) -> Float:
        """Return a property of the medium of one box of each line."""
        return self.boxes.media[name][self.box_at(step)]

    def select(self, which: NDArray[np.bool_] | Int) -> "Rays":
        """Return the chosen lines."""
        box, enter, leave = self.box[which], self.enter[which], self.leave[which]
        return Rays(self.boxes, self.origin[which], self.direction[which], box, enter, leave)

    def at(self, path: Float, ray: Int | None = None) -> Float:
        """Return positions in mm at path lengths, ``[m, 3]``; ``ray`` names the line of each."""
        if ray is None:
            return self.origin + self.direction * path[:, None]
        return self.origin[ray] + self.direction[ray] * path[:, None]

    def locate(self, name: str, depth: Float, ray: Int | None = None) -> tuple[Int, Float]:
        """Find where a depth is reached.

        Parameters
        ----------
        name
            ``radiation``, ``interaction`` or ``loss``.
        depth
            ``[m]``: depth from the origin in units of that property.
        ray
            ``[m]``: the line of each; without it there is one depth for each line.

        Returns
        -------
        step, path
            ``[m]``: the step along the line, -1 if the depth lies beyond the last box, and the path length in mm.
        """
        table: Float = getattr(self, name)
        ray = np.arange(len(self)) if ray is None else ray
        step = (table[ray, 1:] <= depth[:, None]).sum(axis=1)
        beyond = step == self.box.shape[1]
        step = np.where(beyond, 0, step)
        density = self.boxes.media[name][self.box[ray, step]]
        path = self.enter[ray, step] + (depth - table[ray, step]) / density
        return np.where(beyond, -1, step), np.where(beyond, NEVER, path)


def trace(boxes: Boxes, origin: Float, direction: Float) -> Rays:
    """Find the boxes along lines."""
    # One row for each box and axis: long contiguous operations on all lines at once. Boxes share most of their sides.
    inverse = 1 / np.where(np.abs(direction) < 1e-9, 1e-9, direction).T
    start = np.ascontiguousarray(origin.T)
    n, n_boxes = len(origin), len(boxes.low)
    first, last = np.zeros((n_boxes, n)), np.full((n_boxes, n), NEVER)
    for axis in range(3):
        for low, high, which in boxes.sides[axis]:
            one, other = (low - start[axis]) * inverse[axis], (high - start[axis]) * inverse[axis]
            near, far = np.minimum(one, other), np.maximum(one, other)
            for box in which:
                np.maximum(first[box], near, out=first[box])
                np.minimum(last[box], far, out=last[box])
    crossed = last > first + 1e-6
    first[~crossed] = NEVER
    last[~crossed] = NEVER
    most = max(int(crossed.sum(axis=0).max(initial=0)), 1)
    order = np.argsort(first, axis=0)[:most]
    enter, leave = (np.ascontiguousarray(np.take_along_axis(a, order, axis=0).T) for a in (first, last))
    return Rays(boxes, origin, direction, np.where(leave > enter, order.T, 0), enter, leave)
