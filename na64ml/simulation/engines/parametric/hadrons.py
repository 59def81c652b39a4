"""Hadronic showers as cascades of a few branches.

Every hadron flies straight, ionises if it is charged, and interacts after an exponentially distributed number of
interaction lengths. The interaction shares its energy among branches: pi0 (electromagnetic showers), charged and
neutral hadrons, which go on in the same way, and the excited nucleus. Late showers, leakage through gaps and sides,
punch-through and the fluctuating electromagnetic share follow from that.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from na64ml.simulation.engines.parametric.boxes import Boxes
from na64ml.simulation.engines.parametric.columns import Showers, Tracks
from na64ml.simulation.engines.parametric.constants import Constants
from na64ml.simulation.engines.parametric.crossings import TrackerPlanes
from na64ml.simulation.engines.parametric.halo import Sources
from na64ml.simulation.engines.parametric.ionisation import deposit_tracks, kinetic_left, reach
from na64ml.simulation.engines.parametric.nuclei import Nuclei, decays_at_rest, deposit_nuclei
from na64ml.simulation.engines.parametric.randomness import tilted
from na64ml.simulation.engines.parametric.rays import Rays, trace
from na64ml.simulation.engines.parametric.table import Table
from na64ml.simulation.processes.two_body import isotropic

Float = NDArray[np.float64]
Int = NDArray[np.int64]

PION_MASS, NUCLEON_MASS = 0.1396, 0.9389

LIGHT = 0.8
"""Mass in GeV that separates mesons from baryons."""

NEGLIGIBLE = 0.001
"""Energy in GeV below which a branch is dropped."""

GENERATIONS = 25
"""More than any cascade has; a guard against endless loops."""


def deposit_hadrons(
    hadrons: Tracks,
    boxes: Boxes,
    table: Table,
    planes: TrackerPlanes,
    halo: Sources,
    c: Constants,
    rng: Generator,
) -> list[Showers]:
    """Deposit the cascades of hadrons and return their electromagnetic showers."""
    found: list[Showers] = []
    nuclei: list[Nuclei] = []
    for _ in range(GENERATIONS):
        if not len(hadrons):
            break
        rays = trace(boxes, hadrons.origin, hadrons.direction)
        depth = rng.exponential(size=len(hadrons)) / hadrons.cross_section
        step, end = rays.locate("interaction", depth)
        charged = hadrons.charge != 0
        stopped, stop = rays.locate("loss", np.where(charged, reach(hadrons.kinetic, hadrons.mass), np.inf))
        track = np.flatnonzero(charged)
        some, until = hadrons.select(track), np.minimum(end, stop)[track]
        planes.add(some.slot, some.origin, some.direction, until)
        deposit_tracks(some.slot, rays.select(track), some.kinetic, some.mass, until, table, c, rng)
        rest = np.flatnonzero((stopped >= 0) & (stop <= end))
        around = rays.select(rest).box_at(stopped[rest])
        captured, decayed = decays_at_rest(hadrons.select(rest), rays.at(stop[rest], rest), around, rng)
        hit = np.flatnonzero((step >= 0) & (end < stop))
        hadrons, showers, excited = _interact(hadrons.select(hit), rays.select(hit), step[hit], end[hit], c, rng)
        nuclei += [captured, excited]
        found += [decayed, showers]
    if nuclei:
        deposit_nuclei(Nuclei.join(nuclei), boxes, table, halo, c, rng)
    return found


def _interact(
    parent: Tracks, rays: Rays, step: Int, path: Float, c: Constants, rng: Generator
) -> tuple[Tracks, Showers, Nuclei]:
    """Return the hadrons, the showers and the excited nuclei of interactions in some box, at some path length."""
    kinetic = np.where(parent.charge != 0, _kinetic_at(parent, rays, path), parent.kinetic)
    energy = np.maximum(kinetic + parent.released, NEGLIGIBLE)
    origin = rays.at(path)
    mean = np.clip(c.nucleus_share.value * energy**-c.nucleus_power.value, 0.02, 0.9)
    nucleus = energy * rng.beta(c.nucleus_shape.value * mean, c.nucleus_shape.value * (1 - mean))
    splits = energy > c.branch_from.value
    nucleus = np.where(splits, nucleus, energy)
    which = np.flatnonzero(splits)
    hadrons, showers = _branches(parent.select(which), origin[which], (energy - nucleus)[which], c, rng)
    return hadrons, showers, Nuclei(parent.slot, origin, nucleus, rays.box_at(step))


def _branches(parent: Tracks, origin: Float, energy: Float, c: Constants, rng: Generator) -> tuple[Tracks, Showers]:
    """Share the energy of each interaction among its branches."""
    count = 2 + rng.poisson(c.branches_least.value + c.branches.value * np.log(np.maximum(energy, 1.0)))
    row = np.repeat(np.arange(len(energy)), count)
    part = rng.standard_gamma(c.branch_shape.value, len(row))
    own = energy[row] * part / np.bincount(row, part, minlength=len(energy))[row]
    kept = own > NEGLIGIBLE
    row, own = row[kept], own[kept]
    kind = rng.random(len(row))
    pi0_share = np.where(parent.mass < LIGHT, c.pi0_share.value, c.pi0_share_nucleon.value)[row]
    em = kind < pi0_share
    neutral = ~em & (kind < pi0_share + c.neutral_share.value)
    charge = np.where(neutral | em, 0.0, np.where(rng.random(len(row)) < 0.5, -1.0, 1.0))
    mass = np.where(neutral, NUCLEON_MASS, PION_MASS)
    momentum = np.where(em, own, np.sqrt(own**2 + 2 * own * mass))
    transverse = rng.standard_gamma(2.0, len(row)) * c.transverse.value / 2
    tangent = transverse / np.sqrt(np.maximum(momentum**2 - transverse**2, (0.3 * transverse) ** 2))
    direction = tilted(parent.direction[row], tangent, rng)
    slow = transverse > momentum
    direction[slow] = isotropic(int(slow.sum()), rng)
    slot, where = parent.slot[row], origin[row]
    showers = Showers(slot[em], where[em], direction[em], own[em], np.ones(int(em.sum()), dtype=np.bool_))
    released = np.where(neutral, 0.0, PION_MASS)
    # The energy of a branch is kinetic; the mass of a pion is part of what the interaction shared.
    kinetic = np.maximum(own - released, NEGLIGIBLE)
    factor = np.where(neutral, c.nucleon_cross_section.value, c.pion_cross_section.value)
    every = Tracks(slot, where, direction, kinetic, mass, charge, released, factor)
    return every.select(~em), showers


def _kinetic_at(hadrons: Tracks, rays: Rays, path: Float) -> Float:
    """Return the kinetic energy in GeV that is left after a path."""
    along = np.clip(path[:, None] - rays.enter, 0, rays.leave - rays.enter)
    loss = (along * rays.boxes.media["loss"][rays.box]).sum(axis=1)
    return kinetic_left(reach(hadrons.kinetic, hadrons.mass) - loss, hadrons.mass)
