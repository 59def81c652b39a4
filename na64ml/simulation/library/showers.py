"""Making one shard of a shower library."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.random import Generator, SeedSequence

from na64ml.setups.detectors import Calorimeter, Counter
from na64ml.setups.setup import Setup, load_setup
from na64ml.simulation.deposits import Deposits
from na64ml.simulation.digitisation.digitiser import Columns
from na64ml.simulation.engines.base import Engine, Transport
from na64ml.simulation.library.extended import extended, tile_shape
from na64ml.simulation.library.recipe import LibraryRecipe
from na64ml.simulation.particles import Particles, mass
from na64ml.simulation.recipe import Shard
from na64ml.simulation.shards import keep_shard

GAP = 1.0
"""Particles start this many mm upstream of the target, in vacuum."""


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
    setup, transport = _opened(recipe.model_dump_json())
    primaries, transported = SeedSequence(recipe.seed, spawn_key=(shard.process, shard.index)).spawn(2)
    pdg = list(recipe.showers)[shard.process]
    particles = _primaries(recipe, setup, pdg, shard.events, np.random.default_rng(primaries))
    first = sum(list(recipe.showers.values())[: shard.process]) + shard.index * recipe.shard_showers
    return {
        "shower": first + particles.event,
        "pdg": particles.pdg,
        "kinetic_energy": particles.kinetic_energy.astype(np.float32),
        "x": particles.position[:, 0].astype(np.float32),
        "y": particles.position[:, 1].astype(np.float32),
        **tiles_of(setup, transport.run(particles, shard.events, transported)),
    }


def tiles_of(setup: Setup, deposits: Deposits) -> Columns:
    """Return the tiles with energy of each detector: segment, ix, iy and visible energy in GeV, as lists."""
    columns: Columns = {}
    for detector in setup.detectors:
        if not isinstance(detector, Calorimeter | Counter):
            continue
        visible = deposits.visible[detector.name].sum(axis=1)
        shower, channel = np.nonzero(visible)
        counts = np.bincount(shower, minlength=len(visible))
        place = np.unravel_index(channel, tile_shape(detector))
        lists: dict[str, Any] = dict(
            zip(("segment", "ix", "iy"), (axis.astype(np.int16) for axis in place), strict=True)
        )
        lists["energy"] = visible[shower, channel]
        columns |= {f"{detector.name}_{name}": ak.unflatten(values, counts) for name, values in lists.items()}
    return columns


@lru_cache(maxsize=1)
def _opened(recipe_json: str) -> tuple[Setup, Transport]:
    """Return what all shards of a recipe share; made once in each worker process."""
    recipe = LibraryRecipe.model_validate_json(recipe_json)
    setup = extended(load_setup(recipe.setup), recipe.tiles)
    engine = recipe.engine.make(Engine)  # type: ignore[type-abstract]
    return setup, engine.open(setup)


def _primaries(recipe: LibraryRecipe, setup: Setup, pdg: int, n: int, rng: Generator) -> Particles:
    """Draw particles along z: kinetic energy uniform in its logarithm, impact uniform over one cell around 0."""
    kinetic = np.exp(rng.uniform(*np.log(recipe.energy), n))
    size = np.array(load_setup(recipe.setup).target_calorimeter.cell_size.value)
    impact = rng.uniform(-size / 2, size / 2, (n, 2))
    front = setup.target_calorimeter.segments[0].z_min - GAP
    momentum = np.sqrt(kinetic * (kinetic + 2 * mass(pdg)))
    return Particles.build(
        np.arange(n),
        pdg,
        np.column_stack([impact, np.full(n, front)]),
        np.column_stack([np.zeros((n, 2)), momentum]),
    )
