"""Muons: ionisation all along, and rare hard losses that make electromagnetic showers of their own."""

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from na64ml.simulation.engines.parametric.boxes import Boxes
from na64ml.simulation.engines.parametric.columns import Showers, Tracks
from na64ml.simulation.engines.parametric.constants import Constants
from na64ml.simulation.engines.parametric.crossings import TrackerPlanes
from na64ml.simulation.engines.parametric.halo import Sources
from na64ml.simulation.engines.parametric.ionisation import deposit_tracks, reach
from na64ml.simulation.engines.parametric.nuclei import decays_at_rest, deposit_nuclei
from na64ml.simulation.engines.parametric.rays import trace
from na64ml.simulation.engines.parametric.table import Table

KNOCK_ON = 0.045
"""Landau's ξ over the loss of a fast particle: 0.048 in lead, 0.044 in iron, 0.039 in plastic [C]."""

BREMSSTRAHLUNG = 1 / 42750
"""Radiation lengths of electrons over that of muons: (m_e/m_mu)² [C]."""

TRANSFER = 10.9
"""m_mu² / 2 m_e in GeV: an electron gets at most E² / (E + that) from a muon of energy E [C: kinematics]."""

CAPTURE = 0.015
"""Energy in GeV that a captured muon leaves to the nucleus; the neutrino takes the rest [M-L]."""


def deposit_muons(
    muons: Tracks, boxes: Boxes, table: Table, planes: TrackerPlanes, halo: Sources, c: Constants, rng: Generator
) -> list[Showers]:
    """Deposit the ionisation of muons and return the showers they make."""
    rays = trace(boxes, muons.origin, muons.direction)
    step, stop = rays.locate("loss", reach(muons.kinetic, muons.mass))
    planes.add(muons.slot, muons.origin, muons.direction, stop)
    deposit_tracks(muons.slot, rays, muons.kinetic, muons.mass, stop, table, c, rng)
    rest = np.flatnonzero(step >= 0)
    at_rest = replace(muons.select(rest), released=np.full(len(rest), CAPTURE))
    around = rays.select(rest).box_at(step[rest])
    captured, decayed = decays_at_rest(at_rest, rays.at(stop[rest], rest), around, rng)
    deposit_nuclei(captured, boxes, table, halo, c, rng)
    length, cut = rays.radiation[:, -1], c.hard_loss_from.value
    # Spectra: bremsstrahlung 4/3 dv/v for each radiation length, pairs and knock-on electrons as 1/E² above the cut.
    highest = np.maximum(muons.kinetic / cut, 1.0)
    transfer = np.maximum(muons.kinetic**2 / (muons.kinetic + TRANSFER) / cut, 1.0)
    brems = length * 4 / 3 * BREMSSTRAHLUNG * np.log(highest)
    pairs = c.pairs.value * length * muons.kinetic / cut * (1 - 1 / highest)
    knock_on = KNOCK_ON * rays.loss[:, -1] / cut * (1 - 1 / transfer)
    count = rng.poisson([brems, pairs, knock_on])
    row = np.concatenate([np.repeat(np.arange(len(muons)), n) for n in count])
    kind = np.repeat([0, 1, 2], count.sum(axis=1))
    uniform, top, is_brems = rng.random(len(row)), np.where(kind == 2, transfer[row], highest[row]), kind == 0
    energy = cut * np.where(is_brems, top**uniform, 1 / (1 - uniform * (1 - 1 / top)))
    step, path = rays.locate("radiation", rng.random(len(row)) * length[row], row)
    kept = (step >= 0) & (path < stop[row])
    row, path = row[kept], path[kept]
    n = len(row)
    hard = Showers(muons.slot[row], rays.at(path, row), muons.direction[row], energy[kept], np.zeros(n, dtype=np.bool_))
    return [hard, decayed]
