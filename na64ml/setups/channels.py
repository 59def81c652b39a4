"""The readout channels of one detector, in columns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

AXIS_BOTH, AXIS_X, AXIS_Y = 0, 1, 2
"""Measured axis of a channel: a cell or counter, or one projection of a tracker plane or strip layer."""


@dataclass(frozen=True, eq=False)
class Channels:
    """Channels of one detector in the C-order of its shape.

    Parameters
    ----------
    position
        float64 ``[n, 3]``: centre in mm; z along the beam, the ECAL front face is at z = 0.
    size
        float64 ``[n, 3]``: full widths in mm.
    axis
        int8 ``[n]``: `AXIS_BOTH`, `AXIS_X` or `AXIS_Y`.
    segment
        int16 ``[n]``: depth segment of a calorimeter, plane of a tracker, 0 elsewhere.
    label
        Names such as ``ECAL[1][3][2]`` or ``MM5X``.
    """

    position: NDArray[np.float64]
    size: NDArray[np.float64]
    axis: NDArray[np.int8]
    segment: NDArray[np.int16]
    label: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.label)
