"""Moving tiles of showers into the channels of a detector."""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from na64ml.setups.detectors import Calorimeter
from na64ml.simulation.engines.library.store import Tiles
from na64ml.simulation.engines.library.symmetry import N_OPERATIONS, apply
from na64ml.simulation.library.tiled import Tiled, bounds, on_axis

CENTROID = 0.25
"""Share of the depth of a segment at which the line of a particle is taken as the axis of its shower there: showers
begin in the first part of a segment, or come from the one before."""


@dataclass(frozen=True, eq=False)
class Placed:
    """Showers to be placed; all columns ``[n]`` or as stated, sorted by operation.

    Parameters
    ----------
    shower
        Index into the library.
    slot
        Row of the result that gets the energy.
    scale
        Factor of the energies.
    operation
        Symmetry operation.
    moved
        Whether the tiles move with the particle; otherwise the detector is upstream of the one that is entered.
    impact
        Impact of the library's particle, in mm, ``[n, 2]``.
    start, slope
        Line of the particle, ``[n, 3]`` and ``[n, 2]``.
    """

    shower: NDArray[np.int64]
    slot: NDArray[np.int64]
    scale: NDArray[np.float32]
    operation: NDArray[np.int64]
    moved: NDArray[np.bool_]
    impact: NDArray[np.float64]
    start: NDArray[np.float64]
    slope: NDArray[np.float64]

    def select(self, which: NDArray[np.int64]) -> "Placed":
        """Return the chosen showers."""
        return Placed(**{item.name: getattr(self, item.name)[which] for item in fields(self)})

    def moving(self, moved: NDArray[np.bool_]) -> "Placed":
        """Return the showers for another detector: ``moved`` says whether their tiles move there."""
        return replace(self, moved=moved)


class Placer:
    """Places tiles into one detector.

    Parameters
    ----------
    detector
        The detector.
    tiles
        Its tiles in the library.
    """

    def __init__(self, detector: Tiled, tiles: Tiles) -> None:
        self._tiles, self._detector = tiles, detector
        low, high = bounds(detector)
        self._centre = (low + high)[:2] / 2
        if isinstance(detector, Calorimeter):
            self._segments = np.array(on_axis(detector))
            faces = np.array([detector.segments[index].z.value for index in self._segments])
        else:
            planes = np.unique(_planes(detector), axis=0)
            faces = np.column_stack([planes[:, 0] - planes[:, 1] / 2, planes[:, 0] + planes[:, 1] / 2])
        self._axis_z = faces[:, 0] + CENTROID * (faces[:, 1] - faces[:, 0])
        self._back = faces[:, 1]

    def place(self, placed: Placed, n_slots: int) -> NDArray[np.float32]:
        """Return the visible energy in GeV, ``[n_slots, n_channels]``."""
        tiles, n_channels = self._tiles, self._detector.n_channels
        first = tiles.offset[placed.shower]
        counts = tiles.offset[placed.shower + 1] - first
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        which = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        tile = np.arange(total) + np.repeat(first - (ends - counts), counts)
        x, y = self._turned(placed, tile, ends, counts)
        segment = tiles.segment[tile]
        shift = self._shifts(placed)
        line = which * np.int32(len(self._axis_z)) + segment
        x += shift[0][line]
        y += shift[1][line]
        weight = tiles.energy[tile] * placed.scale[which]
        slot = (placed.slot * n_channels)[which]
        flat = self._channel(x, y, segment, slot, weight, n_slots * n_channels)
        return flat.reshape(n_slots, n_channels)

    def _turned(
        self, placed: Placed, tile: NDArray[np.int64], ends: NDArray[np.int64], counts: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return x and y in mm of tiles after the symmetry operation of their shower."""
        x, y = self._tiles.place[0][tile], self._tiles.place[1][tile]
        borders = np.searchsorted(placed.operation, np.arange(N_OPERATIONS + 1))
        starts = np.concatenate([ends - counts, [len(tile)]])
        for operation, (low, high) in enumerate(zip(starts[borders[:-1]], starts[borders[1:]], strict=True)):
            here = slice(low, high)
            if operation & 1:
                np.negative(x[here], out=x[here])
            if operation & 2:
                np.negative(y[here], out=y[here])
            if operation & 4:
                x[here], y[here] = y[here].copy(), x[here].copy()
        return x, y

    def _shifts(self, placed: Placed) -> NDArray[np.float32]:
        """Return the shift of each shower and segment from the middle of the detector, ``[2, n * n_segments]``."""
        z = np.maximum(self._axis_z, np.minimum(placed.start[:, 2:], self._back))
        axis = placed.start[:, None, :2] + placed.slope[:, None] * (z - placed.start[:, 2:])[..., None]
        shift = axis - self._centre - apply(placed.operation, placed.impact - self._centre)[:, None]
        shift = np.where(placed.moved[:, None, None], shift, 0.0)
        return np.ascontiguousarray(shift.reshape(-1, 2).T, dtype=np.float32)

    def _channel(
        self,
        x: NDArray[np.float32],
        y: NDArray[np.float32],
        segment: NDArray[np.int32],
        slot: NDArray[np.int64],
        weight: NDArray[np.float32],
        size: int,
    ) -> NDArray[np.float32]:
        """Add up the energy of tiles at x and y in mm from the middle of the detector; those outside are lost."""
        if isinstance(self._detector, Calorimeter):
            return _into_cells(self._detector, self._segments, x, y, segment, slot, weight, size)
        return self._into_elements(x, y, segment, slot, weight, size)

    def _into_elements(
        self,
        x: NDArray[np.float32],
        y: NDArray[np.float32],
        plane: NDArray[np.int32],
        slot: NDArray[np.int64],
        weight: NDArray[np.float32],
        size: int,
    ) -> NDArray[np.float32]:
        channels, centre = self._detector.channels, self._centre
        planes = np.unique(_planes(self._detector), axis=0, return_inverse=True)[1].reshape(-1)
        result = np.zeros(size)
        for index, (position, width) in enumerate(zip(channels.position, channels.size, strict=True)):
            low, high = position - width / 2, position + width / 2
            near = (plane == planes[index]) & (x >= low[0] - centre[0]) & (x < high[0] - centre[0])
            near &= (y >= low[1] - centre[1]) & (y < high[1] - centre[1])
            result += np.bincount(slot[near] + index, weight[near], minlength=size)
        return result.astype(np.float32)


def _planes(detector: Tiled) -> NDArray[np.float64]:
    """Return z and thickness in mm of each element of a counter; those of one plane have both in common."""
    return np.column_stack([detector.channels.position[:, 2], detector.channels.size[:, 2]])


def _into_cells(
    detector: Calorimeter,
    segments: NDArray[np.int64],
    x: NDArray[np.float32],
    y: NDArray[np.float32],
    segment: NDArray[np.int32],
    slot: NDArray[np.int64],
    weight: NDArray[np.float32],
    size: int,
) -> NDArray[np.float32]:
    (nx, ny), (width, height) = detector.cells.value, detector.cell_size.value
    x = x * np.float32(1 / width) + np.float32(nx / 2)
    y = y * np.float32(1 / height) + np.float32(ny / 2)
    outside = (x < 0) | (x >= nx) | (y < 0) | (y >= ny)
    cell = (segments.astype(np.int32) * nx * ny)[segment] + x.astype(np.int32) * np.int32(ny) + y.astype(np.int32)
    flat = slot + cell
    flat[outside] = size  # one more channel takes what is lost
    return np.bincount(flat, weight, minlength=size + 1)[:size].astype(np.float32)
