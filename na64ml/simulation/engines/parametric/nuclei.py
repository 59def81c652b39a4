"""Excited nuclei: soft neutrons and protons that fly a little in any direction; captures and decays at rest."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from na64ml.simulation.engines.parametric.boxes import Boxes
from na64ml.simulation.engines.parametric.columns import Columns, Showers, Tracks
from na64ml.simulation.engines.parametric.constants import Constants
from na64ml.simulation.engines.parametric.table import Table
from na64ml.simulation.processes.two_body import isotropic

Float = NDArray[np.float64]

MICHEL = 0.037
"""Mean energy in GeV of the electron of a muon decay [C: 7/20 of the muon mass]."""


@dataclass(frozen=True, eq=False)
class Nuclei(Columns):
    """Excited nuclei.

    Parameters
    ----------
    origin
        Place in mm, ``[n, 3]``.
    energy
        In GeV, ``[n]``.
    interaction
        Interaction lengths in a mm of what is around, ``[n]``.
    """

    origin: Float
    energy: Float
    interaction: Float


def deposit_nuclei(nuclei: Nuclei, boxes: Boxes, table: Table, c: Constants, rng: Generator) -> None:
    """Deposit the visible energy of excited nuclei at a few spots around them."""
    count = 1 + rng.poisson(c.soft_spots.value * np.sqrt(nuclei.energy))
    row = np.repeat(np.arange(len(nuclei)), count)
    n, shape = len(row), c.soft_shape.value
    flight = rng.standard_exponential(n) / (nuclei.interaction * c.soft_cross_section.value)[row]
    where = nuclei.origin[row] + isotropic(n, rng) * flight[:, None]
    energy = (nuclei.energy / count)[row] * (rng.standard_gamma(shape, n) / shape)
    response = boxes.of_planes("mip_share") * c.soft_response.value
    response[boxes.of_planes("sampling") == 0] *= c.soft_plastic.value
    slot = nuclei.slot[row]
    for (low, high), factor, grids in zip(boxes.depths, response, boxes.planes, strict=True):
        here = np.flatnonzero((where[:, 2] >= low) & (where[:, 2] < high))
        for grid in grids if len(here) else ():
            table.add(slot[here], grid.channel_at(where[here, 0], where[here, 1]), energy[here] * factor)


def decays_at_rest(tracks: Tracks, where: Float, interaction: Float, rng: Generator) -> tuple[Nuclei, Showers]:
    """Return the nuclei that capture stopped particles, and the electrons of those that decay.

    Negative ones are captured and leave ``released`` to the nucleus, positive mesons and muons decay to an electron.

    Parameters
    ----------
    where, interaction
        Places in mm, ``[n, 3]``, and interaction lengths in a mm there, ``[n]``.
    """
    captured, decayed = tracks.charge < 0, (tracks.charge > 0) & (tracks.released > 0)
    some = tracks.select(decayed)
    nuclei = Nuclei(tracks.slot[captured], where[captured], tracks.released[captured], interaction[captured])
    n = len(some)
    showers = Showers(some.slot, where[decayed], isotropic(n, rng), np.full(n, MICHEL), np.zeros(n, dtype=np.bool_))
    return nuclei, showers
