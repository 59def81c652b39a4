"""Trackers: planes that measure x and y as separate projections."""

from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from na64ml.setups.channels import AXIS_X, AXIS_Y, Channels
from na64ml.setups.detectors.base import DetectorBase, spacing
from na64ml.setups.sourced import Fraction, NonNegative, Positive, Real
from na64ml.yaml_files import StrictModel


class Plane(StrictModel):
    """One tracker plane centred on the beam axis.

    Parameters
    ----------
    name
        For example ``MM5``; its channels are ``MM5X`` and ``MM5Y``.
    z, half_x, half_y
        Position along the beam and half widths in mm.
    sigma
        Resolution of a hit in mm.
    efficiency
        Probability of a hit in one projection.
    noise_hits
        Mean number of noise hits in one projection of one event.
    """

    name: str
    z: Real
    half_x: Positive
    half_y: Positive
    sigma: Positive
    efficiency: Fraction
    noise_hits: NonNegative | None = None


class Tracker(DetectorBase):
    """Tracker planes with the channel shape ``(n_planes, 2)``: channel 2 × plane + (0 for x, 1 for y).

    Parameters
    ----------
    planes
        From upstream to downstream.
    neighbour_scale
        Transverse length in mm at which two hits count as neighbours. The hit resolution is far too small for
        that; the beam spot is the natural scale.
    """

    kind: Literal["tracker"]
    planes: Annotated[tuple[Plane, ...], Field(min_length=1)]
    neighbour_scale: Positive

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_planes, 2)``."""
        return len(self.planes), 2

    @property
    def pitch(self) -> tuple[float, float, float]:
        """The neighbour scale twice, and the mean distance of the planes."""
        scale = self.neighbour_scale.value
        return scale, scale, spacing([plane.z.value for plane in self.planes], otherwise=scale)

    @cached_property
    def channels(self) -> Channels:
        """Two channels for each plane; both have the position and full widths of the plane."""
        position = np.array([(0.0, 0.0, plane.z.value) for plane in self.planes])
        size = np.array([(2 * plane.half_x.value, 2 * plane.half_y.value, 0.0) for plane in self.planes])
        n_planes = len(self.planes)
        return Channels(
            position=np.repeat(position, 2, axis=0),
            size=np.repeat(size, 2, axis=0),
            axis=np.tile(np.array([AXIS_X, AXIS_Y], dtype=np.int8), n_planes),
            segment=np.repeat(np.arange(n_planes, dtype=np.int16), 2),
            label=tuple(f"{plane.name}{projection}" for plane in self.planes for projection in "XY"),
        )
