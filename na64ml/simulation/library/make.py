"""Making a shower library, and joining its shards to one file."""

import logging
import shutil
from pathlib import Path
from typing import Any

from na64ml.schedulers import Scheduler
from na64ml.setups.setup import load_setup
from na64ml.simulation.library.recipe import LibraryRecipe
from na64ml.simulation.library.showers import make_and_keep_showers
from na64ml.simulation.library.tiled import digest, library_setup, tile_shape, tiled_detector
from na64ml.simulation.particles import properties
from na64ml.simulation.recipe import split
from na64ml.simulation.runner import Progress, make_missing, versions
from na64ml.simulation.sample import write_columns
from na64ml.simulation.shards import read_shard

_log = logging.getLogger(__name__)


def make_library(
    recipe: LibraryRecipe, out: Path, scheduler: Scheduler, progress: Progress, keep_shards: bool = False
) -> str:
    """Make the showers of a recipe, or what is missing of them.

    Finished shards lie in ``<out>.shards``; a run that was interrupted goes on with those that are missing. The tree
    has one entry for each shower: ``shower`` (its id), ``pdg``, ``entry`` (index into the tiled detectors),
    ``kinetic_energy`` (GeV), ``x``, ``y`` (mm, from the axis), ``depth`` (mm behind the front face), and for each
    detector the lists ``_tile`` (index) and ``_energy`` (visible GeV). Where the tiles lie is in ``provenance``.

    Parameters
    ----------
    recipe
        The recipe.
    out
        ROOT file to write.
    scheduler
        Where shards are made.
    progress
        Called with the number of showers as they get done, also for those that were there before.
    keep_shards
        Keep the shards after they were joined.

    Returns
    -------
    str
        Hash of the array content; it does not depend on the scheduler.

    Raises
    ------
    ConfigError
        If the recipe is wrong, or the shards there belong to another one.
    InputError
        If files cannot be written.
    """
    notes = provenance(recipe)
    folder = out.with_name(out.name + ".shards")
    shards = split([entry.count for entry in recipe.showers], recipe.shard_showers)
    make_missing(recipe, shards, folder, make_and_keep_showers, scheduler, progress)
    n_showers, content = write_columns(out, (read_shard(folder / s.file_name) for s in shards), notes, {})
    if not keep_shards:
        shutil.rmtree(folder)
    _log.info("%s: %s showers, content %s", out, f"{n_showers:,}", content)
    return content


def provenance(recipe: LibraryRecipe) -> dict[str, Any]:
    """Return what a library is made from: recipe, hashes, versions, and the numbers of tiles of each detector.

    Raises
    ------
    ConfigError
        If the recipe names something that does not exist or does not fit.
    """
    recipe.check()
    setup = load_setup(recipe.setup)
    tiled = library_setup(setup, recipe.tiles)
    return {
        "recipe": recipe.model_dump(mode="json"),
        "recipe_hash": recipe.hash,
        "geometry_hash": setup.geometry_hash,
        "detectors": {name: digest(tiled_detector(setup, name)) for name in recipe.tiles},
        "species": {str(entry.species): properties(entry.species).name for entry in recipe.showers},
        "tiles": {name: tile_shape(tiled_detector(tiled, name)) for name in recipe.tiles},
        "versions": versions(),
    }
