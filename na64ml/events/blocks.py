"""Decoding the branches of one detector, as a layout describes them, into hit columns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from na64ml.errors import ConfigError, InputError
from na64ml.events.layout import ArrayBlock, BranchesBlock, CellValues, ProjectionsBlock
from na64ml.setups.detectors import Detector
from na64ml.setups.setup import Setup

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Hits:
    """Hits of some channels of many events, grouped by event.

    ``count`` is ``[n_events]``; the other columns are ``[n_hits]`` in event order.
    """

    count: NDArray[np.int64]
    channel: NDArray[np.int64]
    energy: Floats
    time: Floats
    coordinate: Floats | None = None
    """Measured coordinate in mm of tracker hits."""


class BlockReader(Protocol):
    """Turns the branches of one detector into hits."""

    detector: Detector
    branches: dict[str, str]
    """Needed branches, with the layout key that asks for each."""
    optional: frozenset[str]
    """Needed branches that may be missing."""

    def read(self, arrays: dict[str, Any], n_events: int, calibration: "Calibration", file: str) -> list[Hits]:
        """Return hits in the order in which they are stored within an event."""
        ...


Calibration = Callable[[str], tuple[NDArray[np.float64], NDArray[np.bool_]]]
"""Detector name to gain factors and dead flags, both ``[n_events, n_channels]`` or broadcastable to it."""


class CellReader:
    """Fixed arrays, or one branch per channel: a dense ``[n_events, n_channels]`` table with empty cells."""

    def __init__(self, block: ArrayBlock | BranchesBlock, detector: Detector, key: str) -> None:
        self.detector = detector
        self.channels = _channels(block, detector, key)
        self._energy = _columns(block.energy, block, detector, self.channels)
        self._time = _columns(block.time, block, detector, self.channels) if block.time else {}
        self._block = block
        self.branches = dict.fromkeys(self._energy, f"{key}.energy") | dict.fromkeys(self._time, f"{key}.time")
        optional_energy = self._energy if block.energy.optional else {}
        optional_time = self._time if block.time and block.time.optional else {}
        self.optional = frozenset({**optional_energy, **optional_time})

    def read(self, arrays: dict[str, Any], n_events: int, calibration: Calibration, file: str) -> list[Hits]:
        """Return one group of hits, in channel order; empty and dead channels are left out."""
        spec = self._block.energy
        raw = self._table(arrays, self._energy, n_events, file)
        if raw is None:
            return []
        gain, dead = calibration(self.detector.name)
        present = ~dead[:, self.channels] if spec.empty is None else (raw != spec.empty) & ~dead[:, self.channels]
        energy = (raw * (gain[:, self.channels] * spec.scale)).astype(np.float32)
        event, column = np.nonzero(present)
        time = self._times(arrays, n_events, file)
        return [
            Hits(
                count=np.bincount(event, minlength=n_events).astype(np.int64),
                channel=self.channels[column],
                energy=energy[present],
                time=np.full(len(event), np.nan, dtype=np.float32) if time is None else time[present],
            )
        ]

    def _times(self, arrays: dict[str, Any], n_events: int, file: str) -> Floats | None:
        table = self._table(arrays, self._time, n_events, file)
        if table is None or self._block.time is None:
            return None
        scaled = table * np.float32(self._block.time.scale)
        missing = self._block.time.missing
        return scaled if missing is None else np.where(table == np.float32(missing), np.float32(np.nan), scaled)

    def _table(self, arrays: dict[str, Any], columns: "dict[str, _Take]", n_events: int, file: str) -> Floats | None:
        if not columns or not all(branch in arrays for branch in columns):
            return None
        parts = []
        for branch, take in columns.items():
            values = _regular(arrays[branch], branch, file).reshape(n_events, -1)
            if values.shape[1] < take.width or (take.entries is None and values.shape[1] != take.width):
                raise InputError(
                    f"{file}: branch '{branch}' has {values.shape[1]} values per event, detector "
                    f"{self.detector.name} of this layout needs {take.width} (shape {self.detector.shape}); "
                    "use the layout and setup of this run period"
                )
            parts.append(values if take.entries is None else values[:, take.entries])
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)


@dataclass(frozen=True)
class _Take:
    """Which values of a branch to use: all of ``width``, or the listed ``entries`` of at least ``width``."""

    width: int
    entries: NDArray[np.int64] | None = None


class ProjectionReader:
    """Tracker planes whose two projections are separate jagged lists of coordinates."""

    optional: frozenset[str] = frozenset()

    def __init__(self, block: ProjectionsBlock, detector: Detector, key: str) -> None:
        self.detector = detector
        self._scale = np.float32(block.scale)
        self._channel = {}
        self.branches = {}
        for plane, projection in block.planes.items():
            for axis, branch in (("X", projection.x), ("Y", projection.y)):
                if branch is None:
                    continue
                label = plane + axis
                if label not in detector.channels.label:
                    raise ConfigError(
                        f"layout key {key}.planes.{plane}: tracker {detector.name} has no channel '{label}', "
                        f"it has {', '.join(detector.channels.label)}"
                    )
                self._channel[branch] = detector.channels.label.index(label)
                self.branches[branch] = f"{key}.planes.{plane}"

    def read(self, arrays: dict[str, Any], n_events: int, calibration: Calibration, file: str) -> list[Hits]:
        """Return one group of hits per projection, in the order of the layout."""
        groups = []
        for branch, channel in self._channel.items():
            lists = arrays[branch]
            if lists.ndim != 2:
                raise InputError(
                    f"{file}: branch '{branch}' is not a list per event, as layout form 'projections' needs"
                )
            count = ak.to_numpy(ak.num(lists)).astype(np.int64)
            flat = ak.to_numpy(ak.flatten(lists)).astype(np.float32) * self._scale
            groups.append(
                Hits(
                    count=count,
                    channel=np.full(len(flat), channel, dtype=np.int64),
                    energy=np.zeros(len(flat), dtype=np.float32),
                    time=np.full(len(flat), np.nan, dtype=np.float32),
                    coordinate=flat,
                )
            )
        return groups


def block_readers(blocks: tuple[ArrayBlock | BranchesBlock | ProjectionsBlock, ...], setup: Setup) -> list[BlockReader]:
    """Return a reader for every detector of a layout, in its order."""
    readers: list[BlockReader] = []
    for number, block in enumerate(blocks):
        detector, key = setup.detector(block.detector), f"detectors[{number}]"
        if isinstance(block, ProjectionsBlock):
            readers.append(ProjectionReader(block, detector, key))
        else:
            readers.append(CellReader(block, detector, key))
    return readers


def _channels(block: ArrayBlock | BranchesBlock, detector: Detector, key: str) -> NDArray[np.int64]:
    """Return the channel of each column of the block's table."""
    grid: NDArray[np.int64] = np.arange(detector.n_channels).reshape(detector.shape)
    if isinstance(block, BranchesBlock):
        if block.granularity == "cell":
            return grid.reshape(-1)
        if detector.kind != "calorimeter":
            raise ConfigError(f"layout key {key}.granularity: 'segment' needs a calorimeter, {detector.name} is none")
        _, nx, ny = detector.shape
        centres: NDArray[np.int64] = grid[:, nx // 2, ny // 2]
        return centres
    if block.segment is not None:
        if detector.kind != "calorimeter" or not 0 <= block.segment < detector.shape[0]:
            raise ConfigError(f"layout key {key}.segment: {detector.name} has no segment {block.segment}")
        cells: NDArray[np.int64] = grid[block.segment]
        return cells.ravel()
    if block.entries is not None and len(block.entries) != detector.n_channels:
        raise ConfigError(
            f"layout key {key}.entries: lists {len(block.entries)} entries, {detector.name} has {detector.n_channels}"
        )
    return grid.reshape(-1)


def _columns(
    values: CellValues, block: ArrayBlock | BranchesBlock, detector: Detector, channels: NDArray[np.int64]
) -> dict[str, _Take]:
    """Return the branches of a table and which of their values to take."""
    if isinstance(block, ArrayBlock):
        if block.entries is None:
            return {values.branch: _Take(len(channels))}
        return {values.branch: _Take(max(block.entries) + 1, np.asarray(block.entries))}
    names = []
    for channel in channels:
        index = np.unravel_index(int(channel), detector.shape)
        fields = dict(zip(("segment", "x", "y"), map(int, index), strict=False)) if len(index) == 3 else {}
        names.append(values.branch.format(i=int(channel), **fields))
    return {name: _Take(1) for name in names}


def _regular(array: Any, branch: str, file: str) -> Floats:
    try:
        return np.asarray(ak.to_numpy(array), dtype=np.float32)
    except ValueError as error:
        raise InputError(
            f"{file}: branch '{branch}' has a varying number of values per event, a fixed array is needed; "
            "use layout form 'projections' for jagged branches"
        ) from error
