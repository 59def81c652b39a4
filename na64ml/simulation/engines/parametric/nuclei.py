"""Excited nuclei: soft neutrons and protons that fly a little in any direction; captures and decays at rest."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from na64ml.simulation.engines.parametric.boxes import Boxes
from na64ml.simulation.engines.parametric.columns import Columns, Showers, Tracks
from na64ml.simulation.engines.parametric.constants import Constants
from na64ml.simulation.engines.parametric.halo import Sources
from na64ml.simulation.engines.parametric.table import Table
from na64ml.simulation.processes.two_body import isotropic

Float = NDArray[np.float64]
Int = NDArray[np.int64]

MICHEL = 0.037
"""Mean energy in GeV of the electron of a muon decay [C: 7/20 of the muon mass]."""

BLOCK = 4000
"""Nuclei deposited at once: their spots fit into the cache of a processor."""


@dataclass(frozen=True, eq=False)
class Nuclei(Columns):
    """Excited nuclei.

    Parameters
    ----------
    origin
        Place in mm, ``[n, 3]``.
    energy
        In GeV, ``[n]``.
    box
        The box around, ``[n]``.
    """

    origin: Float
    energy: Float
    box: Int


def deposit_nuclei(nuclei: Nuclei, boxes: Boxes, table: Table, halo: Sources, c: Constants, rng: Generator) -> None:
    """Deposit the visible energy of excited nuclei at a few spots around them."""
    halo.add_nuclei(nuclei.slot, nuclei.box, nuclei.origin, nuclei.energy)
    for first in range(0, len(nuclei), BLOCK):
        _deposit_block(nuclei.select(slice(first, first + BLOCK)), boxes, table, c, rng)


def _deposit_block(nuclei: Nuclei, boxes: Boxes, table: Table, c: Constants, rng: Generator) -> None:
    count = 1 + rng.poisson(c.soft_spots.value * np.sqrt(nuclei.energy))
    row = np.repeat(np.arange(len(nuclei)), count)
    n = len(row)
    # Single precision: there are more of these spots than of anything else.
    length = (1 / (boxes.media["interaction"][nuclei.box] * c.soft_cross_section.value)).astype(np.float32)
    origin, mean = nuclei.origin.astype(np.float32), (nuclei.energy / count).astype(np.float32)
    flight = rng.standard_exponential(n, np.float32) * length[row]
    cosine = rng.random(n, np.float32) * 2 - 1
    radius = flight * np.sqrt(1 - cosine * cosine)
    azimuth = rng.random(n, np.float32) * np.float32(2 * np.pi)
    x, y = origin[row, 0] + radius * np.cos(azimuth), origin[row, 1] + radius * np.sin(azimuth)
    z = origin[row, 2] + flight * cosine
    energy = mean[row] * rng.standard_exponential(n, np.float32)
    response = boxes.of_planes("mip_share") * c.soft_response.value
    response[boxes.of_planes("sampling") == 0] *= c.soft_plastic.value
    slot = nuclei.slot[row]
    for (low, high), factor, grids in zip(boxes.depths, response, boxes.planes, strict=True):
        here = np.flatnonzero((z >= low) & (z < high))
        for grid in grids if len(here) else ():
            table.add(slot[here], grid.channel_at(x[here], y[here]), energy[here] * factor)


def decays_at_rest(tracks: Tracks, where: Float, box: Int, rng: Generator) -> tuple[Nuclei, Showers]:
    """Return the nuclei that capture stopped particles, and the electrons of those that decay.

    Negative ones are captured and leave ``released`` to the nucleus, positive mesons and muons decay to an electron.

    Parameters
    ----------
    where, box
        Places in mm, ``[n, 3]``, and the box there, ``[n]``.
    """
    captured, decayed = tracks.charge < 0, (tracks.charge > 0) & (tracks.released > 0)
    some = tracks.select(decayed)
    nuclei = Nuclei(tracks.slot[captured], where[captured], tracks.released[captured], box[captured])
    n = len(some)
    showers = Showers(some.slot, where[decayed], isotropic(n, rng), np.full(n, MICHEL), np.zeros(n, dtype=np.bool_))
    return nuclei, showers
