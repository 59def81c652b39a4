"""Soft particles around showers: MeV photons and neutrons that leave a calorimeter and are seen in what stands around.

Each GeV of a shower or of an excited nucleus makes a number of soft particles. They are absorbed exponentially on
the way to each face of the calorimeter, leave it with Lambert's law, and fly through whatever is visible from there:
plastic counters, and the cells of the nearest calorimeter on either side. The number seen in a channel is a Poisson
number, and each leaves an exponentially distributed energy. What they take away is not subtracted from the shower [C].
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from na64ml.simulation.engines.parametric.boxes import Boxes, Grid
from na64ml.simulation.engines.parametric.constants import Constants
from na64ml.simulation.engines.parametric.table import Table

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Single = NDArray[np.float32]

TILE = 210.0
"""Largest side in mm of the tiles into which channels are cut, so that the angle to their centre is good enough."""

_TOUCHING = 1.0
"""Gap in mm below which boxes of equal cross-section are one body."""


FEW = 2.0
"""Soft particles that leave a face on average, below which nothing is made of them: one in a hundred would be seen."""


@dataclass(frozen=True, eq=False)
class Face:
    """A face of a calorimeter module, with the tiles of channels that are seen from it.

    Parameters
    ----------
    axis, side
        Axis of its normal, and 0 for the low side, 1 for the high one.
    outward
        ``[n_tiles]``: distance in mm along the normal.
    centre, area
        ``[n_tiles, 3]`` in mm and ``[n_tiles]`` in mm².
    seen
        ``[n_tiles, n_seen]``: probability that a particle that comes to a tile is seen in a channel.
    """

    axis: int
    side: int
    outward: Single
    centre: Single
    area: Single
    seen: Single

    def view_factors(self, start: Single) -> Single:
        """Return the share of what leaves the face at a place that comes to each tile, ``[n, n_tiles]``.

        Lambert's law: cos(θ) cos(θ') A / (π r² + A), θ the angle to the normal of the face and θ' that to the z axis;
        with the A below it is exact for a disc on the axis.
        """
        squared = (self.outward * self.outward)[None]
        across = self.outward[None]
        for axis in range(3):
            if axis != self.axis:
                distance = self.centre[:, axis] - start[:, axis, None]
                squared = squared + distance * distance
                across = np.abs(distance) if axis == 2 else across
        return np.asarray(across * (self.outward * self.area) / (squared * (np.float32(np.pi) * squared + self.area)))


@dataclass(frozen=True, eq=False)
class Body:
    """A calorimeter module.

    Parameters
    ----------
    low, high
        Corners in mm.
    faces
        Those from which anything is seen.
    channel, energy
        ``[n_seen]``: channels seen from it, and the mean energy in GeV that a particle leaves in each.
    """

    low: Float
    high: Float
    faces: tuple[Face, ...]
    channel: Int
    energy: Float


class Halo:
    """Collects the sources of soft particles and deposits what is seen of them.

    Parameters
    ----------
    boxes
        The boxes of the setup.
    constants
        Fitted constants.
    """

    def __init__(self, boxes: Boxes, constants: Constants) -> None:
        self._boxes, self._constants = boxes, constants
        self._body_of, corners = _bodies(boxes)
        self._low, self._high = (np.array([pair[side] for pair in corners]) for side in (0, 1))
        self._bodies = [_body(low, high, boxes, constants) for low, high in corners]

    def sources(self, n_slots: int) -> "Sources":
        """Return an empty collection for some events."""
        return Sources(self._boxes, self._constants, self._body_of, self._low, self._high, n_slots)

    def deposit(self, sources: "Sources", table: Table, rng: Generator) -> None:
        """Put what is seen of the soft particles into channels."""
        for index, body in enumerate(self._bodies):
            leaving, centre = (values.astype(np.float32) for values in sources.leaving(index))
            mean = np.zeros((len(leaving), len(body.channel)))
            for face in body.faces:
                number = leaving[:, 2 * face.axis + face.side]
                slot = np.flatnonzero(number > FEW)
                mean[slot] += (number[slot, None] * face.view_factors(centre[slot])) @ face.seen
            slot = np.flatnonzero(mean.any(axis=1))
            count = rng.poisson(mean[slot])
            row, column = np.nonzero(count)
            energy = body.energy[column] * rng.standard_gamma(count[row, column])
            table.add(slot[row], body.channel[column], energy)


class Sources:
    """Sources of soft particles: for each body the number that leaves each face, and where they come from.

    Parameters
    ----------
    boxes, constants
        As of `Halo`.
    body_of
        Body of each box, -1 for counters.
    low, high
        Corners of the bodies in mm, ``[n_bodies, 3]``.
    n_slots
        Number of slots.
    """

    def __init__(self, boxes: Boxes, constants: Constants, body_of: Int, low: Float, high: Float, n_slots: int) -> None:
        self._boxes, self._constants = boxes, constants
        self._body_of, self._low, self._high, self._n_slots = body_of, low, high, n_slots
        self._sums = np.zeros((len(low), n_slots, 9))

    def add_showers(self, slot: Int, box: Int, where: Float, energy: Float) -> None:
        """Add electromagnetic showers whose maximum lies in a box, at a place in mm."""
        density = self._boxes.media["radiation"][box] / self._constants.halo_length.value
        self._add(slot, box, where, energy * self._constants.halo_showers.value, density)

    def add_nuclei(self, slot: Int, box: Int, where: Float, energy: Float) -> None:
        """Add excited nuclei."""
        density = self._boxes.media["interaction"][box] / self._constants.halo_nuclei_length.value
        self._add(slot, box, where, energy * self._constants.halo_nuclei.value, density)

    def leaving(self, body: int) -> tuple[Float, Float]:
        """Return the number that leaves each face, ``[n_slots, 6]``, and the mean place in mm, ``[n_slots, 3]``."""
        sums = self._sums[body]
        number = sums[:, :6]
        return number, sums[:, 6:] / np.maximum(number.sum(axis=1, keepdims=True), 1e-30)

    def _add(self, slot: Int, box: Int, where: Float, number: Float, density: Float) -> None:
        body = self._body_of[box]
        kept = np.flatnonzero(body >= 0)
        slot, body, where, number, density = slot[kept], body[kept], where[kept], number[kept], density[kept]
        faces = np.stack([where - self._low[body], self._high[body] - where], axis=2).reshape(-1, 6)
        number = number[:, None] * np.exp(-np.maximum(faces, 0) * density[:, None])
        place = where * number.sum(axis=1, keepdims=True)
        index = body * self._n_slots + slot
        for column, values in enumerate((*number.T, *place.T)):
            sums = np.bincount(index, values, minlength=len(self._low) * self._n_slots)
            self._sums[:, :, column] += sums.reshape(len(self._low), self._n_slots)


def _bodies(boxes: Boxes) -> tuple[Int, list[tuple[Float, Float]]]:
    """Return the body of each box, and the corners of the bodies: calorimeter boxes of one plane or touching ones."""
    of = np.full(len(boxes.low), -1, dtype=np.int64)
    corners: list[tuple[Float, Float]] = []
    planes: list[int] = []
    for box in np.flatnonzero(boxes.media["sampling"] > 0):
        low, high = boxes.low[box], boxes.high[box]
        before = corners[-1] if corners else None
        if before is not None and planes[-1] == boxes.plane[box]:
            corners[-1] = (np.minimum(before[0], low), np.maximum(before[1], high))
        elif before is not None and (low[:2] == before[0][:2]).all() and abs(low[2] - before[1][2]) < _TOUCHING:
            corners[-1] = (before[0], np.maximum(before[1], high))
        else:
            corners.append((low, high))
        planes[len(corners) - 1 :] = [int(boxes.plane[box])]
        of[box] = len(corners) - 1
    return of, corners


def _body(low: Float, high: Float, boxes: Boxes, c: Constants) -> Body:
    """Return a body with the tiles seen from it: plastic up to the nearest calorimeter on either side, and that."""
    order = np.argsort(boxes.depths[:, 0])
    sampling, plastic = boxes.of_planes("sampling"), boxes.of_planes("mip_share")
    behind = [p for p in order if boxes.depths[p, 0] >= high[2] - _TOUCHING]
    before = [p for p in order[::-1] if boxes.depths[p, 1] <= low[2] + _TOUCHING]
    tiles: list[tuple[float, float, float, float, int, float]] = []
    thin: dict[int, float] = {}
    for planes, end in ((before, 1), (behind, 0)):
        for plane in planes:
            depth = boxes.depths[plane, 1] - boxes.depths[plane, 0]
            seen = (
                c.halo_seen.value * plastic[plane] if sampling[plane] > 0 else 1 - np.exp(-depth / c.halo_plastic.value)
            )
            for grid in boxes.planes[plane]:
                own = [(*tile, float(seen)) for tile in _tiles(grid, float(boxes.depths[plane, end]))]
                thin |= {tile[4]: c.halo_sandwich.value if sampling[plane] > 0 else 1.0 for tile in own}
                tiles += own
            if sampling[plane] > 0:
                break
    columns = np.array(tiles, dtype=np.float32).reshape(-1, 6)
    channel, index = np.unique([tile[4] for tile in tiles], return_inverse=True)
    seen_in = np.zeros((len(columns), len(channel)), np.float32)
    seen_in[np.arange(len(columns)), index] = columns[:, 5]
    faces = []
    for axis in range(3):
        for side, edge in enumerate((low, high)):
            outward = (2 * side - 1) * (columns[:, axis] - np.float32(edge[axis]))
            some = np.flatnonzero(outward > 0)
            if len(some):
                face = Face(axis, side, outward[some], columns[some, :3], columns[some, 3], seen_in[some])
                faces.append(face)
    energy = c.halo_energy.value * np.array([thin[number] for number in channel.tolist()])
    return Body(low, high, tuple(faces), channel.astype(np.int64), energy)


def _tiles(grid: Grid, z: float) -> list[tuple[float, float, float, float, int]]:
    """Return x, y, z, area and channel of the tiles of a grid."""
    edges = [
        np.unique(np.concatenate([np.linspace(a, b, int(np.ceil((b - a) / TILE)) + 1) for a, b in pairwise(e)]))
        for e in (grid.x, grid.y)
    ]
    x, y = np.meshgrid(*((e[1:] + e[:-1]) / 2 for e in edges), indexing="ij")
    area = np.outer(np.diff(edges[0]), np.diff(edges[1]))
    channel = grid.channel_at(x.ravel(), y.ravel())
    columns = zip(x.ravel(), y.ravel(), area.ravel(), channel, strict=True)
    return [(float(a), float(b), z, float(size), int(number)) for a, b, size, number in columns if number >= 0]
