"""Making one shard, and keeping it."""

from functools import lru_cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import awkward as ak
import numpy as np
from numpy.random import SeedSequence

from na64ml.errors import InputError
from na64ml.events.atomic import atomic_path
from na64ml.simulation.digitisation import Digitiser, SecondParticles
from na64ml.simulation.digitisation.digitiser import Columns
from na64ml.simulation.engines.base import Transport
from na64ml.simulation.recipe import Plan, Recipe, Shard

_COUNTS = "#counts"
_RECIPE = "#recipe"


def make_shard(recipe: Recipe, shard: Shard) -> Columns:
    """Generate, transport and digitise the events of a shard; the same recipe and shard give the same columns."""
    plan, transport, digitiser = _opened(recipe.model_dump_json())
    seed = shard.seed(recipe)
    generation, particles, second_particles, readout = seed.spawn(4)
    rng = np.random.default_rng(generation)
    process = plan.processes[shard.process]
    generated = process.generate(shard.events, plan.beamline, rng)
    deposits = transport.run(generated.particles, shard.events, particles)
    second = None
    if recipe.pileup is not None:
        event, dt, others = recipe.pileup.overlay(shard.events, plan.beamline, rng)
        if len(event):
            late = transport.run(others.particles, len(event), second_particles)
            second = SecondParticles(event, dt, others, late)
    columns = digitiser.digitise(generated, deposits, second, np.random.default_rng(readout))
    n_events = shard.events
    return {
        "run": np.full(n_events, recipe.run, dtype=np.int32),
        "spill": np.full(n_events, shard.number, dtype=np.int32),
        "spillevent": np.arange(n_events, dtype=np.int32),
        **columns,
        "mc_label": np.full(n_events, plan.labels.index(process.name), dtype=np.int32),
    }


def make_and_keep(recipe: Recipe, shard: Shard, folder: Path) -> int:
    """Make a shard and write it to its file, atomically; return its number.

    Raises
    ------
    InputError
        If the file cannot be written, for instance because the disk is full.
    """
    keep_shard(folder / shard.file_name, make_shard(recipe, shard), recipe.hash)
    return shard.number


def keep_shard(path: Path, columns: Columns, recipe_hash: str) -> None:
    """Write the columns of a shard and the hash of its recipe to a file, atomically.

    Raises
    ------
    InputError
        If the file cannot be written, for instance because the disk is full.
    """
    try:
        with atomic_path(path) as part, part.open("wb") as file:
            content: dict[str, Any] = flattened(columns) | {_RECIPE: np.array(recipe_hash)}
            np.savez_compressed(file, **content)
    except OSError as error:
        raise InputError(
            f"{path}: cannot be written ({error.strerror or error}); make room and run the same command again, "
            "finished shards are kept"
        ) from error


def read_shard(path: Path) -> Columns:
    """Read the columns of a shard.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    try:
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files if not name.endswith(_RECIPE)}
    except (OSError, ValueError, BadZipFile) as error:
        raise InputError(f"{path}: damaged ({error}); delete it and run the same command again") from error
    counts = {name.removesuffix(_COUNTS): arrays.pop(name) for name in list(arrays) if name.endswith(_COUNTS)}
    return {name: ak.unflatten(values, counts[name]) if name in counts else values for name, values in arrays.items()}


def recipe_of_shard(path: Path) -> str:
    """Return the hash of the recipe a shard was made with; empty if the file is damaged."""
    try:
        with np.load(path) as file:
            return str(file[_RECIPE])
    except (OSError, ValueError, KeyError, BadZipFile):
        return ""


def flattened(columns: Columns) -> dict[str, Any]:
    """Return columns as plain arrays; lists become their content and counts."""
    arrays: dict[str, Any] = {}
    for name, values in columns.items():
        if isinstance(values, ak.Array):
            arrays[name] = ak.to_numpy(ak.flatten(values))
            arrays[name + _COUNTS] = ak.to_numpy(ak.num(values))
        else:
            arrays[name] = values
    return arrays


@lru_cache(maxsize=1)
def _opened(recipe_json: str) -> tuple[Plan, Transport, Digitiser]:
    """Return what all shards of a recipe share; made once in each worker process."""
    recipe = Recipe.model_validate_json(recipe_json)
    plan = Plan(recipe)
    gains = SeedSequence(recipe.seed, spawn_key=(0,))
    digitiser = Digitiser(plan.setup, plan.conditions, plan.digitisation, recipe.run, gains)
    return plan, plan.engine.open(plan.setup), digitiser
