"""Muons: ionisation all along, and rare hard losses that make electromagnetic showers of their own."""

import numpy as np
from numpy.random import Generator

from na64ml.simulation.engines.parametric.boxes import Boxes
from na64ml.simulation.engines.parametric.constants import Constants
from na64ml.simulation.engines.parametric.electromagnetic import Showers
from na64ml.simulation.engines.parametric.hadrons import Hadrons
from na64ml.simulation.engines.parametric.ionisation import deposit_tracks, reach
from na64ml.simulation.engines.parametric.rays import trace
from na64ml.simulation.engines.parametric.table import Table

KNOCK_ON = 0.05
"""Landau's ξ over the loss of a minimum-ionising particle: 0.054 in lead, 0.049 in iron, 0.043 in plastic [C]."""

BREMSSTRAHLUNG = 1 / 42750
"""Radiation lengths of electrons over that of muons: (m_e/m_mu)² [C]."""


def deposit_muons(muons: Hadrons, boxes: Boxes, table: Table, c: Constants, rng: Generator) -> Showers:
    """Deposit the ionisation of muons and return the showers they make."""
    rays = trace(boxes, muons.origin, muons.direction)
    _, stop = rays.locate("loss", reach(muons.kinetic, muons.mass))
    deposit_tracks(muons.slot, rays, muons.kinetic, muons.mass, stop, table, c, rng)
    length = rays.radiation[:, -1]
    cut = c.hard_loss_from.value
    # Spectra for each radiation length: bremsstrahlung 4/3 dv/v, pairs and knock-on electrons as 1/v² above the cut.
    highest = np.maximum(muons.kinetic / cut, 1.0)
    brems = length * 4 / 3 * BREMSSTRAHLUNG * np.log(highest)
    soft = (KNOCK_ON * rays.loss[:, -1] + c.pairs.value * length * muons.kinetic) / cut * (1 - 1 / highest)
    count = rng.poisson([brems, soft])
    row = np.concatenate([np.repeat(np.arange(len(muons)), n) for n in count])
    uniform = rng.random(len(row))
    is_brems = np.arange(len(row)) < count[0].sum()
    top = highest[row]
    ratio = np.where(is_brems, top**uniform, 1 / (1 - uniform * (1 - 1 / top)))
    energy = np.minimum(cut * ratio, muons.kinetic[row])
    step, path = rays.locate("radiation", rng.random(len(row)) * length[row], row)
    kept = (step >= 0) & (path < stop[row])
    row, path, energy = row[kept], path[kept], energy[kept]
    return Showers(muons.slot[row], rays.at(path, row), muons.direction[row], energy, np.zeros(len(row), dtype=np.bool_))
