"""Making a shower library, and joining its shards to one file."""

import logging
import shutil
from pathlib import Path
from typing import Any

from na64ml.setups.detectors import Calorimeter, Counter
from na64ml.setups.setup import load_setup
from na64ml.simulation.engines.base import Engine
from na64ml.simulation.library.extended import extended, tile_shape
from na64ml.simulation.library.recipe import LibraryRecipe
from na64ml.simulation.library.showers import make_and_keep_showers
from na64ml.simulation.particles import properties
from na64ml.simulation.recipe import split
from na64ml.simulation.runner import Progress, in_processes, missing_shards, versions
from na64ml.simulation.sample import write_columns
from na64ml.simulation.shards import read_shard

_log = logging.getLogger(__name__)


def make_library(recipe: LibraryRecipe, out: Path, workers: int, progress: Progress) -> str:
    """Make the showers of a recipe, or what is missing of them, in several processes.

    Finished shards lie in ``<out>.shards``; a run that was interrupted goes on with those that are missing. The tree has
    one entry for each shower: ``shower``, ``pdg``, ``kinetic_energy`` (GeV), ``x``, ``y`` (mm, from the centre of the hit
    cell), and for each detector lists ``_segment``, ``_ix``, ``_iy`` and ``_energy`` (visible GeV) of its tiles. Where
    the tiles lie is in ``provenance``.

    Parameters
    ----------
    recipe
        The recipe.
    out
        ROOT file to write.
    workers
        Number of processes.
    progress
        Called with the number of showers as they get done, also for those that were there before.

    Returns
    -------
    str
        Hash of the array content; it does not depend on the number of workers.

    Raises
    ------
    ConfigError
        If the recipe is wrong, or the shards there belong to another one.
    InputError
        If files cannot be written.
    """
    notes = provenance(recipe)
    folder = out.with_name(out.name + ".shards")
    shards = split(list(recipe.showers.values()), recipe.shard_showers)
    missing = missing_shards(recipe, shards, folder)
    size = {shard.number: shard.events for shard in shards}
    if len(missing) < len(shards):
        _log.info("%s: %d of %d shards are finished", folder, len(shards) - len(missing), len(shards))
        progress(sum(size.values()) - sum(shard.events for shard in missing))
    for number in in_processes(workers, make_and_keep_showers)(recipe, missing, folder):
        progress(size[number])
    n_showers, content = write_columns(out, (read_shard(folder / s.file_name) for s in shards), notes, {})
    shutil.rmtree(folder)
    _log.info("%s: %s showers, content %s", out, f"{n_showers:,}", content)
    return content


def provenance(recipe: LibraryRecipe) -> dict[str, Any]:
    """Return what a library is made from: recipe, hashes, versions and the tiles of each detector.

    Raises
    ------
    ConfigError
        If the recipe names something that does not exist or does not fit.
    """
    real = load_setup(recipe.setup)
    setup = extended(real, recipe.tiles)
    recipe.engine.make(Engine)  # type: ignore[type-abstract]
    return {
        "recipe": recipe.model_dump(mode="json"),
        "recipe_hash": recipe.hash,
        "geometry_hash": real.geometry_hash,
        "species": {properties(pdg).name: count for pdg, count in recipe.showers.items()},
        "tiles": {
            detector.name: {"shape": tile_shape(detector), "width": recipe.tiles[detector.name]}
            for detector in setup.detectors
            if isinstance(detector, Calorimeter | Counter)
        },
        "versions": versions(),
    }
