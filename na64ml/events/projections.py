"""Decoding tracker planes whose two projections are separate jagged lists of coordinates."""

from collections.abc import Callable
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from na64ml.errors import ConfigError, InputError
from na64ml.events.hits import Calibration, Floats, Hits, blank_features
from na64ml.events.layout import ProjectionsBlock
from na64ml.setups.detectors import Detector


class ProjectionReader:
    """Reads one list of coordinates per event and projection; dead projections are left out.

    Raises
    ------
    ConfigError
        If the detector is not a tracker with these planes.
    """

    optional: frozenset[str] = frozenset()

    def __init__(self, block: ProjectionsBlock, detector: Detector, key: str) -> None:
        if detector.kind != "tracker":
            raise ConfigError(
                f"layout key {key}.form: 'projections' needs a tracker, {detector.name} is a {detector.kind}"
            )
        self.detector = detector
        self._scale = np.float32(block.scale)
        self._blank = blank_features(detector)
        self._projections: list[tuple[str, int, int]] = []
        """Branch, channel and measured coordinate."""
        self.branches = {}
        labels = detector.channels.label
        for plane, sides in block.planes.items():
            for coordinate, (axis, branch) in enumerate((("X", sides.x), ("Y", sides.y))):
                if branch is None:
                    continue
                if plane + axis not in labels:
                    raise ConfigError(
                        f"layout key {key}.planes.{plane}: tracker {detector.name} has no channel '{plane}{axis}', "
                        f"it has {', '.join(labels)}"
                    )
                self._projections.append((branch, labels.index(plane + axis), coordinate))
                self.branches[branch] = f"{key}.planes.{plane}"

    def read(self, arrays: dict[str, Any], calibration: Callable[[str], Calibration], file: str) -> list[Hits]:
        """Return one group of hits per projection, in the order of the layout."""
        found = calibration(self.detector.name)
        groups = []
        for branch, channel, coordinate in self._projections:
            count, values = _flat(arrays[branch], branch, file)
            dead = found.dead[:, channel]
            if dead.any():
                alive = ~dead[found.run]
                values = values[np.repeat(alive, count)]
                count = count * alive
            features = np.tile(self._blank[channel], (len(values), 1))
            features[:, coordinate] = values * self._scale
            groups.append(Hits(count, np.full(len(values), channel, dtype=np.int64), features))
        return groups


def _flat(lists: Any, branch: str, file: str) -> tuple[NDArray[np.int64], Floats]:
    if lists.ndim != 2:
        raise InputError(
            f"{file}: branch '{branch}' is not a list of numbers per event (it has {ak.type(lists)}), as layout form "
            "'projections' needs"
        )
    return ak.to_numpy(ak.num(lists)).astype(np.int64), ak.to_numpy(ak.flatten(lists)).astype(np.float32)
