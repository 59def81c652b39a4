"""What an engine returns: energy in channels and crossings of tracker planes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NO_SHOWER = -1
"""Shower id of events that come from no library."""


@dataclass(frozen=True, eq=False)
class Crossings:
    """Charged particles that cross tracker planes downstream, in columns.

    Parameters
    ----------
    event
        int64 ``[n]``, sorted.
    plane
        int16 ``[n]``: index into the planes of all trackers of the setup, in the order of its detectors.
    position
        float64 ``[n, 2]``: x and y in mm.
    """

    event: NDArray[np.int64]
    plane: NDArray[np.int16]
    position: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Deposits:
    """Noise-free response of the detectors to the particles of each event.

    Parameters
    ----------
    visible
        By detector, float32 ``[n_events, 2, n_channels]`` in GeV: energy deposited in the scintillator by what is
        left of the beam particle (index 0) and by secondaries (index 1). Calorimeters and counters.
    crossings
        Charged particles at tracker planes.
    shower
        int64 ``[n_events]``: id of the frozen shower of the leading particle, or `NO_SHOWER`; None from engines that
        have none. Events of one leading shower are not independent.
    """

    visible: Mapping[str, NDArray[np.float32]]
    crossings: Crossings
    shower: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(next(iter(self.visible.values())))
