"""Beam electrons that hit the borders of cells, or the edge of the target, where energy may be lost."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from pydantic import Field

from na64ml.setups.sourced import NonNegative
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import GeneratedEvents
from na64ml.simulation.processes.base import Process
from na64ml.simulation.processes.beam_electron import at_front_face


class NonHermeticity(Process):
    """Beam electrons near the borders of the target's cells, far from the centre of the beam as often as near it.

    The impact is uniform over bands along all borders, the outer ones included; weights are the density of the beam
    spot over that of the bands, so that weighted events are those of the beam that hit the bands.

    Parameters
    ----------
    margin
        Half width in mm of the band around a border.
    """

    name: ClassVar[str] = "non_hermeticity"
    margin: float = Field(default=2.0, gt=0)

    def generate(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        """Make electrons at the front face."""
        track = beamline.particles(n_events, rng, end_z=beamline.front)
        impact, area = self._impacts(n_events, beamline, rng)
        track = replace(track, impact=impact - track.slope * beamline.front)
        return GeneratedEvents(track, at_front_face(track), _beam_density(impact, beamline) * area)

    def rate(self, beamline: Beamline) -> NonNegative:
        """Return one per particle on target: the weights hold the share that hits the bands."""
        return NonNegative(value=1.0, source="C: by definition, the weights hold the share of the beam")

    def _impacts(self, n_events: int, beamline: Beamline, rng: Generator) -> tuple[NDArray[np.float64], float]:
        """Return impacts in the bands in mm, ``[n_events, 2]``, and the area of the bands in mm²."""
        target = beamline.setup.target_calorimeter
        cells, widths = np.array(target.cells.value), np.array(target.cell_size.value)
        centre = np.array(target.segment_centre(0))
        size = cells * widths + 2 * self.margin
        impact = np.full((n_events, 2), np.nan)
        while (open_ := np.isnan(impact[:, 0])).any():
            trial = rng.uniform(-0.5, 0.5, (int(open_.sum()), 2)) * size
            from_border = np.abs((trial + cells * widths / 2 + widths / 2) % widths - widths / 2)
            inside = (from_border < self.margin).any(axis=1)
            impact[open_] = np.where(inside[:, None], trial + centre, np.nan)
        free = np.prod(np.clip(widths - 2 * self.margin, 0, None)) * np.prod(cells)
        return impact, float(np.prod(size) - free)


def _beam_density(impact: NDArray[np.float64], beamline: Beamline) -> NDArray[np.float64]:
    """Return the density of the beam spot in mm⁻², ``[n_events]``."""
    beam = beamline.setup.beam
    sigma = np.array([beam.sigma_x.value, beam.sigma_y.value])
    pull = (impact - np.array(beamline.conditions.impact_point(beamline.setup))) / sigma
    return np.asarray(np.exp(-0.5 * (pull**2).sum(axis=1)) / (2 * np.pi * np.prod(sigma)))
