"""Excited nuclei: soft neutrons and protons that fly a little in any direction; captures and decays at rest."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from na64ml.simulation.engines.parametric.boxes import Boxes
from na64ml.simulation.engines.parametric.columns import Columns, Showers, Tracks
from na64ml.simulation.engines.parametric.constants import Constants
from na64ml.simulation.engines.parametric.rays import trace
from na64ml.simulation.engines.parametric.table import Table
from na64ml.simulation.processes.two_body import isotropic

Float = NDArray[np.float64]

MICHEL = 0.037
"""Mean energy in GeV of the electron of a muon decay [C: 7/20 of the muon mass]."""


@dataclass(frozen=True, eq=False)
class Nuclei(Columns):
    """Excited nuclei: place in mm, ``[n, 3]``, and energy in GeV, ``[n]``."""

    origin: Float
    energy: Float


def deposit_nuclei(nuclei: Nuclei, boxes: Boxes, table: Table, c: Constants, rng: Generator) -> None:
    """Deposit the visible energy of excited nuclei at a few spots around them."""
    count = 1 + rng.poisson(c.soft_spots.value * np.sqrt(nuclei.energy))
    row = np.repeat(np.arange(len(nuclei)), count)
    rays = trace(boxes, nuclei.origin[row], isotropic(len(row), rng))
    step, path = rays.locate("interaction", rng.exponential(size=len(row)) / c.soft_cross_section.value)
    kept = np.flatnonzero(step >= 0)
    where = rays.at(path[kept], kept)
    box = rays.box[kept, step[kept]]
    shape = c.soft_shape.value
    visible = (nuclei.energy / count)[row[kept]] * boxes.media["mip_share"][box] * c.soft_response.value
    visible = np.where(boxes.media["sampling"][box] > 0, visible, visible * c.soft_plastic.value)
    visible = visible * rng.standard_gamma(shape, len(kept)) / shape
    table.add_points(nuclei.slot[row[kept]], box, where[:, 0], where[:, 1], visible)


def decays_at_rest(tracks: Tracks, where: Float, rng: Generator) -> tuple[Nuclei, Showers]:
    """Return the nuclei that capture stopped particles, and the electrons of those that decay.

    Negative ones are captured and leave ``released`` to the nucleus, positive mesons and muons decay to an electron.
    """
    captured, decayed = tracks.charge < 0, (tracks.charge > 0) & (tracks.released > 0)
    some = tracks.select(decayed)
    nuclei = Nuclei(tracks.slot[captured], where[captured], tracks.released[captured])
    n = len(some)
    showers = Showers(some.slot, where[decayed], isotropic(n, rng), np.full(n, MICHEL), np.zeros(n, dtype=np.bool_))
    return nuclei, showers
