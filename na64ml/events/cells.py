"""Decoding cells and counters: fixed arrays, or one branch per channel."""

import logging
from collections.abc import Callable
from math import prod
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from na64ml.errors import ConfigError, InputError
from na64ml.events.batch import HIT_FEATURES
from na64ml.events.hits import Calibration, Floats, Hits, blank_features
from na64ml.events.layout import ArrayBlock, BranchesBlock
from na64ml.setups.detectors import Calorimeter, Detector

logger = logging.getLogger(__name__)

_ENERGY, _TIME = HIT_FEATURES.index("energy"), HIT_FEATURES.index("time")


class CellReader:
    """Reads a dense table ``[n_events, n_channels]`` and keeps the channels that are neither empty nor dead.

    Raises
    ------
    ConfigError
        If the block does not fit the detector.
    """

    def __init__(self, block: ArrayBlock | BranchesBlock, detector: Detector, key: str) -> None:
        if detector.kind == "tracker":
            raise ConfigError(
                f"layout key {key}.form: '{block.form}' does not fit tracker {detector.name}; use projections"
            )
        self.detector = detector
        self._block = block
        self._blank = blank_features(detector)
        self._told: set[str] = set()
        self.channels = _channels(block, detector, key)
        self._energies = self._names(block.energy.branch, f"{key}.energy.branch")
        self._times = self._names(block.time.branch, f"{key}.time.branch") if block.time else []
        self.branches = dict.fromkeys(self._energies, f"{key}.energy") | dict.fromkeys(self._times, f"{key}.time")
        self.optional = frozenset(
            (self._energies if block.energy.optional else [])
            + (self._times if block.time and block.time.optional else [])
        )

    def read(self, arrays: dict[str, Any], calibration: Callable[[str], Calibration], file: str) -> list[Hits]:
        """Return one group of hits, in channel order; an energy that is not a number is a hit."""
        energies = self._table(arrays, self._energies, file)
        if energies is None:
            if file not in self._told:
                logger.warning("%s: has no branch of %s, which is optional: it has no energy", file, self.detector.name)
                self._told.add(file)
            return []
        found = calibration(self.detector.name)
        present = np.ones(energies.shape, dtype=bool) if self._empty is None else energies != self._empty
        if found.dead.any():
            present &= ~found.dead[found.run][:, self.channels]
        cell = np.flatnonzero(present)
        event, column = np.divmod(cell, len(self.channels))
        channel = self.channels[column]
        features = self._blank[channel]
        gain = found.gain[found.run[event], channel] * self._block.energy.scale
        features[:, _ENERGY] = energies.ravel()[cell] * gain
        times = self._table(arrays, self._times, file)
        if times is not None:
            features[:, _TIME] = self._in_ns(times.ravel()[cell])
        return [Hits(np.count_nonzero(present, axis=1).astype(np.int64), channel, features)]

    @property
    def _empty(self) -> float | None:
        return self._block.energy.empty

    def _in_ns(self, times: Floats) -> Floats:
        spec = self._block.time
        if spec is None or spec.missing is None:
            return times * np.float32(spec.scale if spec else 1.0)
        return np.where(times == np.float32(spec.missing), np.float32(np.nan), times * np.float32(spec.scale))

    def _names(self, template: str, key: str) -> list[str]:
        if isinstance(self._block, ArrayBlock):
            return [template]
        names = [_fill(template, int(channel), self.detector, key) for channel in self.channels]
        if len(set(names)) < len(names):
            raise ConfigError(
                f"layout key {key}: '{template}' gives the same branch for several channels of {self.detector.name}; "
                "use the placeholders {segment}, {x} and {y}, or {i}"
            )
        return names

    def _table(self, arrays: dict[str, Any], branches: list[str], file: str) -> Floats | None:
        missing = [branch for branch in branches if branch not in arrays]
        if len(missing) == len(branches):
            return None
        if missing:
            raise InputError(
                f"{file}: of the optional branches of {self.detector.name} (layout key {self.branches[missing[0]]}) "
                f"only some are there; missing: {', '.join(missing)}"
            )
        parts = [self._columns(arrays[branch], branch, file) for branch in branches]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def _columns(self, array: Any, branch: str, file: str) -> Floats:
        values = _fixed(array, branch, file)
        shape = values.shape[1:]
        entries: tuple[int, ...] | None = None
        needed: tuple[int, ...] = ()
        if isinstance(self._block, ArrayBlock):
            entries = self._block.entries
            needed = self.detector.shape if self._block.segment is None else self.detector.shape[1:]
        if entries is not None:
            if len(shape) == 1 and shape[0] > max(entries):
                return values[:, entries]
            needed = (max(entries) + 1,)
        elif shape == (prod(needed),) or _without_ones(shape) == _without_ones(needed):
            return values.reshape(len(values), prod(needed))
        raise InputError(
            f"{file}: branch '{branch}' holds {_text(shape)} per event, detector {self.detector.name} of this "
            f"layout needs {'at least ' if entries else ''}{_text(needed)}; use the layout and setup of this run period"
        )


def _channels(block: ArrayBlock | BranchesBlock, detector: Detector, key: str) -> NDArray[np.int64]:
    """Return the channel of each column of the block's table."""
    grid: NDArray[np.int64] = np.arange(detector.n_channels, dtype=np.int64).reshape(detector.shape)
    if isinstance(block, BranchesBlock):
        if block.granularity == "cell":
            return grid.ravel()
        if not isinstance(detector, Calorimeter):
            raise ConfigError(f"layout key {key}.granularity: 'segment' needs a calorimeter, {detector.name} is none")
        _, nx, ny = detector.shape
        return grid[:, nx // 2, ny // 2].copy()
    if block.segment is not None:
        if not isinstance(detector, Calorimeter) or not 0 <= block.segment < detector.shape[0]:
            raise ConfigError(f"layout key {key}.segment: {detector.name} has no segment {block.segment}")
        cells: NDArray[np.int64] = grid[block.segment]
        return cells.ravel()
    if block.entries is not None and len(block.entries) != detector.n_channels:
        raise ConfigError(
            f"layout key {key}.entries: lists {len(block.entries)} entries, {detector.name} has {detector.n_channels}"
        )
    return grid.ravel()


def _fill(template: str, channel: int, detector: Detector, key: str) -> str:
    fields = {"i": channel}
    if isinstance(detector, Calorimeter):
        fields |= dict(zip(("segment", "x", "y"), map(int, np.unravel_index(channel, detector.shape)), strict=True))
    try:
        return template.format_map(fields)
    except (KeyError, IndexError, ValueError, AttributeError) as error:
        raise ConfigError(
            f"layout key {key}: '{template}' cannot be filled in; {detector.name} has the placeholders "
            + ", ".join(f"{{{name}}}" for name in fields)
        ) from error


def _fixed(array: Any, branch: str, file: str) -> Floats:
    try:
        return np.asarray(ak.to_numpy(array), dtype=np.float32)
    except ValueError as error:
        raise InputError(
            f"{file}: branch '{branch}' is not a fixed array of numbers (it has {ak.type(array)}), as this form of "
            "layout needs; use form 'projections' for jagged branches"
        ) from error


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)


def _text(shape: tuple[int, ...]) -> str:
    return "".join(f"[{n}]" for n in shape) or "one number"
