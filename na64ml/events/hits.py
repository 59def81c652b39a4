"""What decoding one detector of a layout yields: hit columns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from na64ml.events.batch import HIT_FEATURES
from na64ml.setups.detectors import Detector

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Hits:
    """Hits of some channels of many events, grouped by event.

    Parameters
    ----------
    count
        int64 ``[n_events]``.
    channel
        int64 ``[n_hits]``, in event order.
    features
        float32 ``[n_hits, 6]``: columns of `~na64ml.events.batch.HIT_FEATURES`.
    """

    count: NDArray[np.int64]
    channel: NDArray[np.int64]
    features: Floats


@dataclass(frozen=True, eq=False)
class Calibration:
    """Run conditions of one detector.

    Parameters
    ----------
    gain
        float64 ``[n_runs, n_channels]``: factor on the energy.
    dead
        bool ``[n_runs, n_channels]``.
    run
        int64 ``[n_events]``: row of each event.
    """

    gain: NDArray[np.float64]
    dead: NDArray[np.bool_]
    run: NDArray[np.int64]


class BlockReader(Protocol):
    """Turns the branches of one detector into hits."""

    branches: dict[str, str]
    """All branches, with the layout key that asks for each."""
    optional: frozenset[str]
    """Those of them that may be missing."""

    @property
    def detector(self) -> Detector:
        """The detector that is read."""
        ...

    def read(self, arrays: dict[str, Any], calibration: Callable[[str], Calibration], file: str) -> list[Hits]:
        """Return hits in the order in which they are stored within an event.

        Parameters
        ----------
        arrays
            The branches that are there.
        calibration
            Run conditions of a detector, by its name.
        """
        ...


def blank_features(detector: Detector) -> Floats:
    """Return the features ``[n_channels, 6]`` of a hit of each channel with no energy and no time."""
    channels = detector.channels
    features = np.zeros((len(channels), len(HIT_FEATURES)), dtype=np.float32)
    features[:, :3] = channels.position
    features[:, HIT_FEATURES.index("time")] = np.nan
    features[:, HIT_FEATURES.index("axis")] = channels.axis
    return features
