"""Sampling calorimeters: cells in x and y, segments in depth."""

from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from na64ml.setups.channels import AXIS_BOTH, Channels
from na64ml.setups.detectors.base import DetectorBase, spacing
from na64ml.setups.materials import Sandwich
from na64ml.setups.sourced import Cells, Count, Pair, Positive, Widths
from na64ml.yaml_files import StrictModel


class Segment(StrictModel):
    """One depth segment: a longitudinal readout section or a separate module.

    Parameters
    ----------
    name
        For example ``preshower``.
    z
        Front and back face in mm.
    layers
        Number of sandwich layers.
    centre
        Transverse centre in mm where it differs from that of the calorimeter.
    """

    name: str
    z: Pair
    layers: Count
    centre: Pair | None = None

    @property
    def z_min(self) -> float:
        """Front face in mm."""
        return self.z.value[0]

    @property
    def z_max(self) -> float:
        """Back face in mm."""
        return self.z.value[1]


class Calorimeter(DetectorBase):
    """A sampling calorimeter with the channel shape ``(n_segments, nx, ny)``.

    Parameters
    ----------
    cells
        Number of cells in x and y.
    cell_size
        Cell widths in x and y in mm.
    centre
        Transverse centre in mm.
    hole
        Full width in mm of a square beam hole at the centre. Cells in the hole are channels all the same.
    sandwich
        The repeated layer.
    segments
        From upstream to downstream.

    Raises
    ------
    ValueError
        If a segment is reversed, its layers do not fit, or the hole is wider than the calorimeter.
    """

    kind: Literal["calorimeter"]
    cells: Cells
    cell_size: Widths
    centre: Pair
    hole: Positive | None = None
    sandwich: Sandwich
    segments: Annotated[tuple[Segment, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits(self) -> "Calorimeter":
        for segment in self.segments:
            layers = segment.layers.value * self.sandwich.thickness
            depth = segment.z_max - segment.z_min
            if layers > depth + 1e-6:
                raise ValueError(
                    f"{self.name} segment '{segment.name}': {segment.layers.value} layers of "
                    f"{self.sandwich.thickness:g} mm need {layers:g} mm, but z = {list(segment.z.value)} "
                    f"leaves {depth:g} mm; correct z or layers"
                )
        if self.hole is not None and self.hole.value >= min(self.width):
            raise ValueError(
                f"{self.name}: hole {self.hole.value:g} mm is not smaller than the calorimeter, "
                f"{self.width[0]:g} x {self.width[1]:g} mm"
            )
        return self

    @property
    def shape(self) -> tuple[int, int, int]:
        """``(n_segments, nx, ny)``."""
        return (len(self.segments), *self.cells.value)

    @property
    def width(self) -> tuple[float, float]:
        """Full widths of the calorimeter in x and y, in mm."""
        (nx, ny), (dx, dy) = self.cells.value, self.cell_size.value
        return nx * dx, ny * dy

    @property
    def layer_counts(self) -> tuple[int, ...]:
        """Number of layers of each segment."""
        return tuple(segment.layers.value for segment in self.segments)

    @property
    def pitch(self) -> tuple[float, float, float]:
        """Cell widths, and the distance of segment centres (the depth of a single segment)."""
        first = self.segments[0]
        centres = [(segment.z_min + segment.z_max) / 2 for segment in self.segments]
        return (*self.cell_size.value, spacing(centres, otherwise=first.z_max - first.z_min))

    def segment_centre(self, segment: int) -> tuple[float, float]:
        """Return the transverse centre of a segment in mm."""
        own = self.segments[segment].centre
        return self.centre.value if own is None else own.value

    @cached_property
    def channels(self) -> Channels:
        """Cells in the order ``[segment][ix][iy]``."""
        segment, ix, iy = np.indices(self.shape).reshape(3, -1)
        centre = np.array([self.segment_centre(i) for i in range(len(self.segments))])[segment]
        faces = np.array([part.z.value for part in self.segments])[segment]
        cells, widths = np.array(self.cells.value), np.array(self.cell_size.value)
        transverse = centre + (np.stack([ix, iy], axis=1) - (cells - 1) / 2) * widths
        return Channels(
            position=np.column_stack([transverse, faces.mean(axis=1)]),
            size=np.column_stack([np.broadcast_to(widths, transverse.shape), np.diff(faces, axis=1)]),
            axis=np.full(self.n_channels, AXIS_BOTH, dtype=np.int8),
            segment=segment.astype(np.int16),
            label=tuple(f"{self.name}[{s}][{x}][{y}]" for s, x, y in zip(segment, ix, iy, strict=True)),
        )
