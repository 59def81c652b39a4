"""Making one shard of a shower library."""

from functools import lru_cache
from pathlib import Path

import awkward as ak
import numpy as np
from numpy.random import Generator, SeedSequence
from numpy.typing import NDArray

from na64ml.setups.detectors import Calorimeter, Counter
from na64ml.setups.setup import Setup, load_setup
from na64ml.simulation.deposits import Deposits
from na64ml.simulation.digitisation.digitiser import Columns
from na64ml.simulation.engines.base import Engine, Transport
from na64ml.simulation.library.recipe import LibraryRecipe, ShowerEntry
from na64ml.simulation.library.tiled import Tiled, bounds, faces, library_setup, tiled_detector
from na64ml.simulation.particles import Particles, mass
from na64ml.simulation.recipe import Shard
from na64ml.simulation.shards import keep_shard

GAP = 1.0
"""Particles at depth 0 start this many mm upstream of the detector, in vacuum."""


def make_and_keep_showers(recipe: LibraryRecipe, shard: Shard, folder: Path) -> int:
    """Make a shard of showers and write it to its file, atomically; return its number.

    Raises
    ------
    InputError
        If the file cannot be written, for instance because the disk is full.
    """
    keep_shard(folder / shard.file_name, make_showers(recipe, shard), recipe.hash)
    return shard.number


def make_showers(recipe: LibraryRecipe, shard: Shard) -> Columns:
    """Return the showers of a shard in columns; the same recipe and shard give the same columns."""
    entry = recipe.showers[shard.process]
    setup, transport = _opened(recipe.model_dump_json())
    primaries, transported = SeedSequence(recipe.seed, spawn_key=(shard.process, shard.index)).spawn(2)
    number = shard.index * recipe.shard_showers + np.arange(shard.events)
    particles, depth = _primaries(recipe, entry, number, np.random.default_rng(primaries))
    before = sum(one.count for one in recipe.showers[: shard.process])
    return {
        "shower": (before + number).astype(np.int32),
        "pdg": particles.pdg,
        "entry": np.full(shard.events, list(recipe.tiles).index(entry.entry), dtype=np.int16),
        "kinetic_energy": particles.kinetic_energy.astype(np.float32),
        "x": particles.position[:, 0].astype(np.float32),
        "y": particles.position[:, 1].astype(np.float32),
        "depth": depth.astype(np.float32),
        **tiles_of(setup, transport.run(particles, shard.events, transported), recipe.dropped),
    }


def tiles_of(setup: Setup, deposits: Deposits, dropped: float) -> Columns:
    """Return the tiles of each detector, as lists: index ``NAME_tile`` and visible energy in GeV ``NAME_energy``."""
    columns: Columns = {}
    for detector in setup.detectors:
        if not isinstance(detector, Calorimeter | Counter):
            continue
        visible = without_small(deposits.visible[detector.name].sum(axis=1), dropped)
        shower, tile = np.nonzero(visible)
        counts = np.bincount(shower, minlength=len(visible))
        columns[f"{detector.name}_tile"] = ak.unflatten(tile.astype(np.int32), counts)
        columns[f"{detector.name}_energy"] = ak.unflatten(visible[shower, tile], counts)
    return columns


def without_small(visible: NDArray[np.float32], dropped: float) -> NDArray[np.float32]:
    """Return energies, ``[n, n_tiles]``, without the smallest ones that hold at most a share ``dropped`` of each sum.

    The largest tile gets what they hold.
    """
    order = np.argsort(visible, axis=1)
    rising = np.take_along_axis(visible, order, axis=1).astype(np.float64)
    below = np.cumsum(rising, axis=1) <= dropped * rising.sum(axis=1, keepdims=True)
    below[:, -1] = False
    rising[:, -1] += np.where(below, rising, 0.0).sum(axis=1)
    rising[below] = 0.0
    result = np.empty_like(visible)
    np.put_along_axis(result, order, rising.astype(np.float32), axis=1)
    return result


@lru_cache(maxsize=1)
def _opened(recipe_json: str) -> tuple[Setup, Transport]:
    """Return what all shards of a recipe share; made once in each worker process."""
    recipe = LibraryRecipe.model_validate_json(recipe_json)
    setup = library_setup(load_setup(recipe.setup), recipe.tiles)
    engine = recipe.engine.make(Engine)  # type: ignore[type-abstract]
    return setup, engine.open(setup)


def _primaries(
    recipe: LibraryRecipe, entry: ShowerEntry, number: NDArray[np.int64], rng: Generator
) -> tuple[Particles, NDArray[np.float64]]:
    """Draw particles along z, and their depth.

    Impacts are uniform over tiles around the beam axis, or over a detector with a beam hole.

    The logarithm of the kinetic energy is uniform, drawn in as many equal steps as there are showers: so no energy is
    far from that of a shower, also in a pool of every n-th one. ``number`` counts the showers of the entry.
    """
    n = len(number)
    low, high = recipe.energy_of(entry)
    kinetic = low * (high / low) ** ((number + rng.random(n)) / entry.count)
    detector = tiled_detector(load_setup(recipe.setup), entry.entry)
    impact = _impacts(detector, entry.spread * recipe.tiles[entry.entry], n, rng)
    depth = rng.uniform(*entry.depth, n)
    front = faces(detector)[0]
    z = np.where(depth > 0, front + depth, front - GAP)
    momentum = np.sqrt(kinetic * (kinetic + 2 * mass(entry.species)))
    particles = Particles.build(
        np.arange(n), entry.species, np.column_stack([impact, z]), np.column_stack([np.zeros((n, 2)), momentum])
    )
    return particles, depth


def _impacts(detector: Tiled, half: float, n: int, rng: Generator) -> NDArray[np.float64]:
    """Draw impacts in mm, ``[n, 2]``, over a square of half width ``half`` or around a hole."""
    hole = detector.hole if isinstance(detector, Calorimeter) else None
    if hole is None:
        return rng.uniform(-half, half, (n, 2))
    low, high = (corner[:2] for corner in bounds(detector))
    impact = np.full((n, 2), np.nan)
    while (open_ := np.isnan(impact[:, 0])).any():
        trial = rng.uniform(low, high, (int(open_.sum()), 2))
        from_hole = np.abs(trial - (low + high) / 2).max(axis=1) - hole.value / 2
        impact[open_] = np.where(from_hole[:, None] < 0, np.nan, trial)
    return impact
