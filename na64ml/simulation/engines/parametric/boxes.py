"""The setup as boxes of homogenised material, and the channels that read them."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from na64ml.setups.detectors import Calorimeter, Counter
from na64ml.setups.setup import Setup
from na64ml.simulation.engines.parametric.constants import Constants
from na64ml.simulation.engines.parametric.medium import Medium, plastic_medium, sandwich_medium

Float = NDArray[np.float64]
Int = NDArray[np.int64]

NO_CHANNEL = -1


@dataclass(frozen=True, eq=False)
class Grid:
    """Rectangles in x and y, each of one channel.

    Parameters
    ----------
    x, y
        Edges in mm, ``[nx + 1]`` and ``[ny + 1]``; a hole adds edges of its own.
    channel
        ``[nx, ny]``: channel among all of the setup, `NO_CHANNEL` in a hole.
    """

    x: Float
    y: Float
    channel: Int

    def channel_at(self, x: Float, y: Float) -> Int:
        """Return the channel at each point, `NO_CHANNEL` outside and in the hole."""
        (x_axis, y_axis), framed = self._lookup
        return framed[x_axis.cell(x), y_axis.cell(y)]

    @cached_property
    def _lookup(self) -> tuple[tuple["Axis", "Axis"], Int]:
        """Both axes, and the channels with a rim of cells without channel that catches what is outside."""
        return (Axis.of(self.x), Axis.of(self.y)), np.pad(self.channel, 1, constant_values=NO_CHANNEL)


@dataclass(frozen=True, eq=False)
class Axis:
    """Intervals between edges.

    Parameters
    ----------
    edges
        Edges in mm, ``[n + 1]``.
    start, width
        Where interval 0, outside of the edges, begins, and the width of all in mm; the width is 0 if they differ.
    """

    edges: Float
    start: float
    width: float

    @classmethod
    def of(cls, edges: Float) -> "Axis":
        """Return the axis with these edges."""
        width = float(edges[-1] - edges[0]) / (len(edges) - 1)
        equal = np.allclose(np.diff(edges), width)
        return cls(edges, float(edges[0]) - width, width if equal else 0.0)

    def cell(self, position: Float) -> Int:
        """Return the interval of each position, from 1; 0 and ``n + 1`` are outside."""
        if not self.width:
            return np.searchsorted(self.edges, position)
        scaled = (position - self.start) * (1 / self.width)
        return np.asarray(np.minimum(np.maximum(scaled, 0), len(self.edges)), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Boxes:
    """All boxes of a setup.

    Parameters
    ----------
    low, high
        ``[n_boxes, 3]``: corners in mm.
    plane
        ``[n_boxes]``: index into ``planes``.
    media
        By name of a field of `Medium`, ``[n_boxes]``.
    planes
        For each range in z that is read separately, the grids there.
    depths
        ``[n_planes, 2]``: first and last z in mm of each.
    n_channels
        Number of channels of all calorimeters and counters.
    columns
        By detector, its channels among all; where several channels read one place they are the same.
    """

    low: Float
    high: Float
    plane: Int
    media: dict[str, Float]
    planes: tuple[tuple[Grid, ...], ...]
    depths: Float
    n_channels: int
    columns: dict[str, Int]

    @cached_property
    def sides(self) -> tuple[tuple[tuple[float, float, tuple[int, ...]], ...], ...]:
        """For x, y and z: the different pairs of low and high side in mm, and the boxes that have them."""
        axes = []
        for ends in zip(self.low.T.tolist(), self.high.T.tolist(), strict=True):
            pairs = list(zip(*ends, strict=True))
            axes.append(
                tuple(
                    (*pair, tuple(np.flatnonzero([pair == other for other in pairs]).tolist()))
                    for pair in sorted(set(pairs))
                )
            )
        return tuple(axes)

    def of_planes(self, name: str) -> Float:
        """Return a property of the medium of each plane, ``[n_planes]``."""
        return self.media[name][np.unique(self.plane, return_index=True)[1]]


def build_boxes(setup: Setup, constants: Constants) -> Boxes:
    """Return the boxes of a setup; an SRD has none, its response is made by the digitisation."""
    found: list[tuple[Float, Float, int, Medium]] = []
    planes: list[list[Grid]] = []
    columns: dict[str, Int] = {}
    n_channels = 0
    for detector in setup.detectors:
        if isinstance(detector, Calorimeter):
            for index, segment in enumerate(detector.segments):
                grid = _cells(detector, index, n_channels)
                depth = segment.z_max - segment.z_min
                what = sandwich_medium(detector.sandwich, segment.layers.value, depth, constants)
                for low, high in _frame(detector, index):
                    z = segment.z.value
                    found.append((np.array([*low, z[0]]), np.array([*high, z[1]]), len(planes), what))
                planes.append([grid])
            columns[detector.name] = n_channels + np.arange(detector.n_channels)
        elif isinstance(detector, Counter):
            columns[detector.name] = _add_counter(detector, n_channels, found, planes, constants)
        else:
            continue
        n_channels += detector.n_channels
    lows, highs, plane, media = zip(*found, strict=True)
    names = [item.name for item in fields(Medium)]
    first = np.unique(plane, return_index=True)[1]
    return Boxes(
        low=np.array(lows),
        high=np.array(highs),
        plane=np.array(plane),
        media={name: np.array([getattr(one, name) for one in media]) for name in names},
        planes=tuple(tuple(grids) for grids in planes),
        depths=np.column_stack([np.array(lows)[first, 2], np.array(highs)[first, 2]]),
        n_channels=n_channels,
        columns=columns,
    )


def _add_counter(
    detector: Counter,
    first: int,
    found: list[tuple[Float, Float, int, Medium]],
    planes: list[list[Grid]],
    constants: Constants,
) -> Int:
    """Add the elements of a counter, those at one depth as one plane; return the channel that holds each element."""
    low = detector.channels.position - detector.channels.size / 2
    high = detector.channels.position + detector.channels.size / 2
    _, where, index = np.unique(np.round([*low.T, *high.T], 6).T, axis=0, return_index=True, return_inverse=True)
    depths: dict[tuple[float, float], int] = {}
    for element in sorted(where.tolist()):
        z = (float(low[element, 2]), float(high[element, 2]))
        if z not in depths:
            depths[z] = len(planes)
            planes.append([])
        x, y = (np.array([low[element, i], high[element, i]]) for i in (0, 1))
        planes[depths[z]].append(Grid(x, y, np.array([[first + element]])))
        found.append((low[element], high[element], depths[z], plastic_medium(z[1] - z[0], constants)))
    return first + where[index.reshape(-1)]


def _cells(detector: Calorimeter, segment: int, first: int) -> Grid:
    """Return the cells of a segment; the borders of a hole cut them."""
    edges: list[Float] = []
    index: list[Int] = []
    for axis in (0, 1):
        n, width, centre = detector.cells.value[axis], detector.cell_size.value[axis], detector.segment_centre(segment)
        own = centre[axis] + (np.arange(n + 1) - n / 2) * width
        if detector.hole is not None:
            own = np.unique([*own, *(centre[axis] + side * detector.hole.value / 2 for side in (-1, 1))])
        middle = (own[1:] + own[:-1]) / 2
        edges.append(own.astype(np.float64))
        index.append(np.floor((middle - centre[axis]) / width + n / 2).astype(np.int64))
    nx, ny = detector.cells.value
    channel = first + (segment * nx + index[0][:, None]) * ny + index[1]
    if detector.hole is not None:
        centre = detector.segment_centre(segment)
        inside = [
            np.abs((e[1:] + e[:-1]) / 2 - m) < detector.hole.value / 2 for e, m in zip(edges, centre, strict=True)
        ]
        channel = np.where(inside[0][:, None] & inside[1], NO_CHANNEL, channel)
    return Grid(edges[0], edges[1], channel)


def _frame(detector: Calorimeter, segment: int) -> Iterator[tuple[list[float], list[float]]]:
    """Yield the corners of the boxes of a segment: one, or four around a hole."""
    (x, y), (width, height) = detector.segment_centre(segment), detector.width
    left, right, bottom, top = x - width / 2, x + width / 2, y - height / 2, y + height / 2
    if detector.hole is None:
        yield [left, bottom], [right, top]
        return
    half = detector.hole.value / 2
    yield [left, bottom], [x - half, top]
    yield [x + half, bottom], [right, top]
    yield [x - half, bottom], [x + half, y - half]
    yield [x - half, y + half], [x + half, top]
