"""Making all shards of a recipe, and joining them to one sample."""

import logging
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from na64ml.errors import ConfigError
from na64ml.events.layout import layout_beside
from na64ml.schedulers import Scheduler
from na64ml.simulation.recipe import Plan, Shard
from na64ml.simulation.sample import write_layout, write_sample
from na64ml.simulation.shards import make_and_keep, read_shard, recipe_of_shard

_log = logging.getLogger(__name__)

Progress = Callable[[int], None]
"""Called with the number of events that are done."""


Make = Callable[[Any, Shard, Path], int]
"""Makes one shard of a recipe in a folder and returns its number."""


class Hashed(Protocol):
    """A recipe of any kind."""

    @property
    def hash(self) -> str:
        """Hash of the content."""
        ...


def simulate(plan: Plan, out: Path, scheduler: Scheduler, progress: Progress, keep_shards: bool = False) -> str:
    """Make the sample of a plan, or what is missing of it.

    Finished shards lie in ``<out>.shards``; a run that was interrupted goes on with those that are missing.

    Parameters
    ----------
    plan
        The recipe with everything it names.
    out
        ROOT file to write; its layout is written beside it as ``<stem>.layout.yaml``.
    scheduler
        Where shards are made.
    progress
        Called as events get done, also for those that were there before.
    keep_shards
        Keep the shards after they were joined.

    Returns
    -------
    str
        Hash of the array content; it does not depend on the scheduler.

    Raises
    ------
    ConfigError
        If the shards there belong to another recipe.
    InputError
        If files cannot be written.
    """
    recipe = plan.recipe
    folder = out.with_name(out.name + ".shards")
    shards = plan.shards
    make_missing(recipe, shards, folder, make_and_keep, scheduler, progress)
    chunks = (read_shard(folder / shard.file_name) for shard in shards)
    n_events, content = write_sample(out, chunks, plan.labels, provenance(plan))
    names = (recipe.setup, recipe.conditions or recipe.setup)
    layout = layout_beside(out)
    write_layout(layout, out.stem, plan.setup, names, plan.labels, plan.digitisation)
    if not keep_shards:
        shutil.rmtree(folder)
    _log.info("%s: %s events, content %s; layout %s", out, f"{n_events:,}", content, layout)
    return content


def make_missing(
    recipe: Hashed, shards: Sequence[Shard], folder: Path, make: Make, scheduler: Scheduler, progress: Progress
) -> None:
    """Make the shards of a recipe that have no file in a folder yet; ``make`` makes one of them.

    Raises
    ------
    ConfigError
        If the folder holds shards of another recipe.
    InputError
        If files cannot be written.
    """
    missing = _missing(recipe, shards, folder)
    size = {shard.number: shard.events for shard in shards}
    done = len(shards) - len(missing)
    if done:
        _log.info("%s: %d of %d shards are finished", folder, done, len(shards))
        progress(sum(size.values()) - sum(shard.events for shard in missing))
    in_folder = partial(_make_in, make, recipe, folder.resolve())
    for number in scheduler(in_folder, missing):
        progress(size[number])


def _make_in(make: Make, recipe: Hashed, folder: Path, shard: Shard) -> int:
    return make(recipe, shard, folder)


def provenance(plan: Plan) -> dict[str, Any]:
    """Return what a sample was made from: recipe, hashes, rates and versions."""
    return {
        "recipe": plan.recipe.model_dump(mode="json"),
        "recipe_hash": plan.recipe.hash,
        "geometry_hash": plan.setup.geometry_hash,
        "digitisation_hash": plan.digitisation.hash,
        "engine": plan.engine.provenance(),
        "processes": plan.rates(),
        "versions": versions(),
    }


def versions() -> dict[str, str | None]:
    """Return the versions of what simulates; None for what is not installed."""
    return {name: _version(name) for name in ("na64ml", "numpy", "scipy", "particle", "calzone")}


def _missing(recipe: Hashed, shards: Sequence[Shard], folder: Path) -> list[Shard]:
    """Return the shards without a file of this recipe."""
    if not folder.is_dir():
        return list(shards)
    missing = []
    for shard in shards:
        path = folder / shard.file_name
        made_by = recipe_of_shard(path) if path.is_file() else ""
        if made_by and made_by != recipe.hash:
            raise ConfigError(
                f"{folder}: holds shards of another recipe ({made_by}, this one is {recipe.hash}); choose another "
                "output, or delete the folder"
            )
        if not made_by:
            missing.append(shard)
    return missing


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
