"""Electromagnetic showers: energetic ones by analytic integrals over cells, soft ones by spots."""

from collections.abc import Mapping

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from na64ml.simulation.engines.parametric.boxes import Boxes
from na64ml.simulation.engines.parametric.columns import Showers
from na64ml.simulation.engines.parametric.constants import Constants
from na64ml.simulation.engines.parametric.crossings import TrackerPlanes
from na64ml.simulation.engines.parametric.halo import Sources
from na64ml.simulation.engines.parametric.ionisation import deposit_tracks
from na64ml.simulation.engines.parametric.profiles import Profile, contained, lateral, sample_profiles
from na64ml.simulation.engines.parametric.randomness import gamma_like
from na64ml.simulation.engines.parametric.rays import NEVER, Rays, trace
from na64ml.simulation.engines.parametric.rectangle import shares
from na64ml.simulation.engines.parametric.table import Table

Float = NDArray[np.float64]
Int = NDArray[np.int64]

ELECTRON_MASS = 0.511e-3

QUANTUM = 0.7e-3
"""Mean energy in GeV that one soft photon leaves in plastic [C: VETO of the sample]."""

LATE_SPOTS = 1.5
"""Least number of independent spots in a box: late in a shower there are many soft photons [C: VETO of the sample]."""

SHORT_GAP = 10.0
"""Length in mm without material that a shower does not notice."""

TRACKS_OF_A_SPOT = 3.0
"""Most tracks with which a spot crosses a counter."""

NEGLIGIBLE = 1e-5
"""Energy in GeV of a shower in a box below which it gets nothing."""

BLOCK = 4000
"""Showers deposited at once: their cells or spots fit into the cache of a processor."""


def deposit_showers(
    showers: Showers,
    boxes: Boxes,
    table: Table,
    planes: TrackerPlanes,
    halo: Sources,
    c: Constants,
    scale: float,
    rng: Generator,
) -> None:
    """Put the visible energy of showers into channels; electrons cross planes and counters in front of them as tracks.

    Parameters
    ----------
    scale
        Nuisance parameter: all radii are multiplied by it.
    """
    rays = trace(boxes, showers.origin, showers.direction)
    electron = np.flatnonzero(~showers.photon)
    before = _before_sandwich(rays)
    planes.add(showers.slot[electron], showers.origin[electron], showers.direction[electron], before[electron])
    in_plastic = electron[before[electron] > rays.enter[electron, 0]]
    mass = np.full(len(in_plastic), ELECTRON_MASS)
    energy, end = showers.energy[in_plastic], before[in_plastic]
    deposit_tracks(showers.slot[in_plastic], rays.select(in_plastic), energy, mass, end, table, c, rng)
    hit = rays.radiation[:, -1] > 0
    showers, rays = showers.select(hit), rays.select(hit)
    profile = sample_profiles(rays, showers.energy, showers.photon, c, rng)
    step, path = rays.locate("radiation", profile.start + profile.maximum)
    inside = np.flatnonzero(step >= 0)
    box = rays.box[inside, step[inside]]
    halo.add_showers(showers.slot[inside], box, rays.at(path[inside], inside), showers.energy[inside])
    soft = showers.energy < c.analytic_from.value
    for which, deposit in ((soft, _deposit_spots), (~soft, _deposit_integrals)):
        every = np.flatnonzero(which)
        for first in range(0, len(every), BLOCK):
            index = every[first : first + BLOCK]
            deposit(showers.slot[index], rays.select(index), profile.select(index), table, c, scale, rng)


def _before_sandwich(rays: Rays) -> Float:
    """Return the path length in mm to the first sandwich calorimeter, or for ever."""
    sandwich = (rays.boxes.media["sampling"][rays.box] > 0) & (rays.leave > rays.enter)
    return np.asarray(np.where(sandwich, rays.enter, NEVER).min(axis=1))


def _deposit_integrals(
    slot: Int, rays: Rays, profile: Profile, table: Table, c: Constants, scale: float, rng: Generator
) -> None:
    """Integrate the profiles over boxes in depth and over cells."""
    depth = np.clip(rays.radiation - profile.start[:, None], 0, None)
    share, moment = (np.diff(sums, axis=1) for sums in contained(profile, depth, c))
    spots = c.depth_spots.value * profile.energy**c.depth_power.value
    wanted = share.sum(axis=1)
    noisy = share * gamma_like(share * spots[:, None] + LATE_SPOTS, rng)
    total = noisy.sum(axis=1)
    noisy *= np.divide(wanted, total, out=np.zeros_like(total), where=total > 0)[:, None]
    noisy *= np.exp(c.constant.value * rng.standard_normal((len(slot), 1)))
    wander = rng.standard_normal((len(slot), 2)) * (c.wander.value / np.sqrt(profile.energy))[:, None]
    ray, step = np.nonzero(share * profile.energy[:, None] > NEGLIGIBLE)
    mean = np.clip(moment[ray, step] / share[ray, step], depth[ray, step], depth[ray, step + 1])
    share = noisy[ray, step]
    box, some = rays.box[ray, step], profile.select(ray)
    media = rays.boxes.media
    shape = some.energy * share / np.maximum(media["sampling"][box], 0.01) ** 2
    visible = some.energy * share * _visible_share(some, box, media) * gamma_like(shape, rng)
    path = rays.enter[ray, step] + (mean - depth[ray, step]) / media["radiation"][box]
    path += np.clip(some.start - rays.radiation[ray, step], 0, None) / media["radiation"][box]
    centre = rays.at(path, ray)
    centre[:, :2] += wander[ray]
    core, tail, weight = lateral(some, mean / some.maximum, c, scale)
    gap = _gaps(rays)[ray, step]
    gap = c.leak_angle.value * gap + c.leak_radius.value * (gap > SHORT_GAP)
    core, tail = core + gap, tail + gap
    plane, plastic = rays.boxes.plane[box], rays.boxes.of_planes("sampling") == 0
    for index, grids in enumerate(rays.boxes.planes):
        here = np.flatnonzero(plane == index)
        if not len(here):
            continue
        for grid in grids:
            x, y = grid.x - centre[here, 0, None], grid.y - centre[here, 1, None]
            inner = weight[here, None, None] * shares(x, y, core[here])
            outer = (1 - weight[here, None, None]) * shares(x, y, tail[here])
            inside = inner + outer
            if plastic[index]:
                hit = rng.poisson(inside * (visible[here] / QUANTUM)[:, None, None])
                inside = QUANTUM * rng.standard_gamma(hit)
            else:
                wanted = inside.sum(axis=(1, 2))
                energy = np.maximum(some.energy[here] * share[here], 1e-9)
                spots = c.lateral_spots.value * energy**c.lateral_power.value
                quanta = energy / c.tail_quantum.value
                variance = inner / spots[:, None, None] + outer / quanta[:, None, None]
                inside *= gamma_like(inside * inside / np.maximum(variance, 1e-30), rng)
                total = inside.sum(axis=(1, 2))
                factor = visible[here] * np.divide(wanted, total, out=np.zeros_like(total), where=total > 0)
                inside *= factor[:, None, None]
            channel = np.broadcast_to(grid.channel, inside.shape)
            slots = np.broadcast_to(slot[ray[here], None, None], inside.shape)
            table.add(slots.ravel(), channel.ravel(), inside.ravel())


def _deposit_spots(
    slot: Int, rays: Rays, profile: Profile, table: Table, c: Constants, scale: float, rng: Generator
) -> None:
    """Draw a few spots from the profiles."""
    count = np.ceil(c.spots.value * np.sqrt(profile.energy)).astype(np.int64)
    ray = np.repeat(np.arange(len(rays)), count)
    depth = rng.standard_gamma(profile.alpha[ray]) / profile.beta[ray]
    step, path = rays.locate("radiation", profile.start[ray] + depth, ray)
    kept = np.flatnonzero(step >= 0)
    ray, step, path, depth = ray[kept], step[kept], path[kept], depth[kept]
    some = profile.select(ray)
    core, tail, weight = lateral(some, depth / some.maximum, c, scale)
    uniform = rng.uniform(0, 0.99, len(ray))
    radius = np.where(rng.random(len(ray)) < weight, core, tail) * np.sqrt(uniform / (1 - uniform))
    azimuth = rng.uniform(0, 2 * np.pi, len(ray))
    centre = rays.at(path, ray)
    box = rays.box[ray, step]
    energy = some.energy / count[ray]
    shape = energy / np.maximum(c.soft_sampling.value * rays.boxes.media["sampling"][box], 0.03) ** 2
    visible = energy * _visible_share(some, box, rays.boxes.media) * gamma_like(shape, rng)
    # A few tracks cross a counter, however energetic the spot.
    depth_of = (rays.boxes.high - rays.boxes.low)[box, 2] * rays.boxes.media["loss"][box]
    plastic = rays.boxes.media["sampling"][box] == 0
    visible = np.where(plastic, np.minimum(visible, TRACKS_OF_A_SPOT * depth_of), visible)
    x, y = centre[:, 0] + radius * np.cos(azimuth), centre[:, 1] + radius * np.sin(azimuth)
    table.add_points(slot[ray], box, x, y, visible)


def _gaps(rays: Rays) -> Float:
    """Return the length in mm without material between the first box and each, ``[n, k]``."""
    material = np.cumsum(rays.leave - rays.enter, axis=1) - (rays.leave - rays.enter)
    return rays.enter - rays.enter[:, :1] - material


def _visible_share(showers: Profile, box: Int, media: Mapping[str, Float]) -> Float:
    """Return the visible share in each box; a plastic counter sees the tracks that cross it."""
    passing = showers.tracks / media["tracks"][box] * media["mip_share"][box]
    return np.where(media["sampling"][box] > 0, media["em_share"][box], passing)
