"""Hadronic showers as cascades of a few branches.

Every hadron flies straight, ionises if it is charged, and interacts after an exponentially distributed number of
interaction lengths. The interaction shares its energy among branches: pi0 (electromagnetic showers), charged and
neutral hadrons, which go on in the same way, and the excited nucleus. Late showers, leakage through gaps and sides,
punch-through and the fluctuating electromagnetic share follow from that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from na64ml.simulation.engines.parametric.boxes import Boxes
from na64ml.simulation.engines.parametric.constants import Constants
from na64ml.simulation.engines.parametric.electromagnetic import Showers
from na64ml.simulation.engines.parametric.ionisation import deposit_tracks, kinetic_left, reach
from na64ml.simulation.engines.parametric.randomness import isotropic, tilted
from na64ml.simulation.engines.parametric.rays import Rays, trace
from na64ml.simulation.engines.parametric.table import Table

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Bool = NDArray[np.bool_]

PION_MASS, NUCLEON_MASS = 0.1396, 0.9389

GENERATIONS = 25
"""More than any cascade has; a guard against endless loops."""


@dataclass(frozen=True, eq=False)
class Hadrons:
    """Hadrons in flight, ``[n]`` each.

    Parameters
    ----------
    slot
        Slot of the table.
    origin, direction
        Start in mm and unit vector.
    kinetic, mass
        In GeV.
    charged
        Whether it ionises.
    cross_section
        Interaction lengths of matter are divided by it.
    """

    slot: Int
    origin: Float
    direction: Float
    kinetic: Float
    mass: Float
    charged: Bool
    cross_section: Float

    def __len__(self) -> int:
        return len(self.slot)

    def select(self, which: Bool | Int) -> "Hadrons":
        """Return the chosen ones."""
        return Hadrons(*(getattr(self, item.name)[which] for item in fields(self)))

    @classmethod
    def join(cls, parts: Sequence["Hadrons"]) -> "Hadrons":
        """Join several collections."""
        return cls(*(np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(cls)))


def develop(hadrons: Hadrons, boxes: Boxes, table: Table, c: Constants, rng: Generator) -> list[Showers]:
    """Deposit the cascades of hadrons and return their electromagnetic showers."""
    found: list[Showers] = []
    for _ in range(GENERATIONS):
        if not len(hadrons):
            break
        rays = trace(boxes, hadrons.origin, hadrons.direction)
        hit = rays.interaction[:, -1] > 0
        hadrons, rays = hadrons.select(hit), rays.select(hit)
        depth = rng.exponential(size=len(hadrons)) / hadrons.cross_section
        _, end = rays.locate("interaction", depth)
        range_ = reach(hadrons.kinetic, hadrons.mass)
        _, stop = rays.locate("loss", np.where(hadrons.charged, range_, np.inf))
        track = np.flatnonzero(hadrons.charged)
        deposit_tracks(
            hadrons.slot[track], rays.select(track), hadrons.kinetic[track], hadrons.mass[track],
            np.minimum(end, stop)[track], table, c, rng,
        )  # fmt: skip
        hadrons, soft = _interact(hadrons, rays, end, stop, found, c, rng)
        _deposit_soft(soft, boxes, table, c, rng)
    return found


def _interact(
    hadrons: Hadrons, rays: Rays, end: Float, stop: Float, found: list[Showers], c: Constants, rng: Generator
) -> tuple[Hadrons, Hadrons]:
    """Return the hadrons of the next generation, and what is left in nuclei as soft neutrons."""
    last = rays.leave.max(axis=1, where=rays.leave < 1e8, initial=0)
    index = np.flatnonzero((end < stop) & (end < last))
    parent, rays, end = hadrons.select(index), rays.select(index), end[index]
    kinetic = np.where(parent.charged, _kinetic_at(parent, rays, end), parent.kinetic)
    meson = parent.mass < 0.8
    energy = kinetic + np.where(meson, parent.mass, 0.0)
    origin = rays.at(end)
    mean = np.clip(c.nucleus_share.value * energy ** -c.nucleus_power.value, 0.02, 0.9)
    nucleus = energy * rng.beta(c.nucleus_shape.value * mean, c.nucleus_shape.value * (1 - mean))
    splits = energy > c.branch_from.value
    nucleus = np.where(splits, nucleus, energy)
    soft = Hadrons(
        parent.slot, origin, parent.direction, nucleus, np.full(len(parent), NUCLEON_MASS),
        np.zeros(len(parent), dtype=np.bool_), np.full(len(parent), c.soft_cross_section.value),
    )  # fmt: skip
    which = np.flatnonzero(splits)
    branches = _branches(parent.select(which), origin[which], (energy - nucleus)[which], found, c, rng)
    return branches, soft


def _branches(
    parent: Hadrons, origin: Float, energy: Float, found: list[Showers], c: Constants, rng: Generator
) -> Hadrons:
    """Share the energy of each interaction among its branches."""
    count = 2 + rng.poisson(c.branches.value * np.log(np.maximum(energy, 1.0)) + c.branches_least.value)
    row = np.repeat(np.arange(len(energy)), count)
    part = rng.standard_gamma(c.branch_shape.value, len(row))
    total = energy[row] * part / np.bincount(row, part, minlength=len(energy))[row]
    kind = rng.random(len(row))
    em = kind < c.pi0_share.value
    neutral = ~em & (kind < c.pi0_share.value + c.neutral_share.value)
    mass = np.where(neutral, NUCLEON_MASS, PION_MASS)
    momentum = np.sqrt(total**2 + 2 * total * np.where(em, 0.0, mass))
    transverse = rng.standard_gamma(2.0, len(row)) * c.transverse.value / 2
    tangent = transverse / np.sqrt(np.maximum(momentum**2 - transverse**2, (0.3 * transverse) ** 2))
    direction = tilted(parent.direction[row], tangent, rng)
    slow = transverse > momentum
    direction[slow] = isotropic(int(slow.sum()), rng)
    kept = em & (total > 0.001)
    found.append(Showers(parent.slot[row][kept], origin[row][kept], direction[kept], total[kept], np.ones(kept.sum(), np.bool_)))
    kept = ~em & (total > 0.001)
    factor = np.where(neutral, 1.0, c.pion_cross_section.value)
    return Hadrons(
        parent.slot[row][kept], origin[row][kept], direction[kept], total[kept], mass[kept], ~neutral[kept], factor[kept]
    )


def _kinetic_at(hadrons: Hadrons, rays: Rays, path: Float) -> Float:
    """Return the kinetic energy in GeV that is left after a path."""
    along = np.clip(path[:, None] - rays.enter, 0, np.maximum(rays.leave - rays.enter, 0))
    loss = (along * rays.boxes.media["loss"][rays.box]).sum(axis=1)
    return kinetic_left(reach(hadrons.kinetic, hadrons.mass) - loss, hadrons.mass)


def _deposit_soft(soft: Hadrons, boxes: Boxes, table: Table, c: Constants, rng: Generator) -> None:
    """Deposit the energy of excited nuclei: soft neutrons and protons that fly a little in any direction."""
    count = 1 + rng.poisson(c.soft_spots.value * np.sqrt(soft.kinetic))
    row = np.repeat(np.arange(len(soft)), count)
    energy = soft.kinetic[row] / count[row]
    direction = isotropic(len(row), rng)
    rays = trace(boxes, soft.origin[row], direction)
    depth = rng.exponential(size=len(row)) / soft.cross_section[row]
    step, path = rays.locate("interaction", depth)
    kept = np.flatnonzero(step >= 0)
    where = rays.at(path)
    box = rays.box[kept, step[kept]]
    shape = c.soft_shape.value
    visible = energy[kept] * boxes.media["mip_share"][box] * c.soft_response.value
    visible = visible * rng.standard_gamma(shape, len(kept)) / shape
    table.add_points(soft.slot[row][kept], box, where[kept, 0], where[kept, 1], visible)
