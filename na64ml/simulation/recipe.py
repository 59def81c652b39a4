"""Recipes: datasets to make."""

from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import SeedSequence
from pydantic import Field, PositiveFloat, PositiveInt, PrivateAttr, model_validator

from na64ml.errors import ConfigError
from na64ml.key_changes import changed
from na64ml.resources import shipped_or_own
from na64ml.selection.mode import Mode, load_mode
from na64ml.setups.conditions import Conditions, load_conditions
from na64ml.setups.digitisation import Digitisation, load_digitisation, shifted
from na64ml.setups.setup import Setup, load_setup
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.changes import shared_out
from na64ml.simulation.class_path import ClassPath
from na64ml.simulation.engines.base import Engine
from na64ml.simulation.processes.base import Process
from na64ml.simulation.processes.pile_up import PileUp
from na64ml.yaml_files import StrictModel, content_hash, read_yaml, validate


class ProcessEntry(ClassPath):
    """A process and how much of it: a number of events, or particles on target."""

    events: PositiveInt | None = None
    eot: PositiveFloat | None = None

    @model_validator(mode="after")
    def _one_amount(self) -> "ProcessEntry":
        if (self.events is None) == (self.eot is None):
            raise ValueError("give either events or eot")
        return self


class Recipe(StrictModel):
    """A dataset to make.

    Parameters
    ----------
    name, description
        What it is called and what it is for.
    mode
        The search; it maps every process to a class.
    setup, conditions, run
        The detector, its conditions and the run number of the events. Conditions default to those of the setup.
    seed
        Of all random numbers.
    engine
        What transports the particles.
    processes
        What is made, and how much.
    pileup
        Second beam particles on top of all events.
    shifts
        Changed parameters of the digitisation, see `~na64ml.setups.digitisation.shifted`.
    shard_events
        Events made at once; part of the recipe, so that the result does not depend on the number of workers.
    """

    name: str
    description: str = ""
    mode: str
    setup: str
    conditions: str | None = None
    run: int = Field(ge=0)
    seed: int = Field(ge=0)
    engine: ClassPath
    processes: tuple[ProcessEntry, ...] = Field(min_length=1)
    pileup: PileUp | None = None
    shifts: dict[str, float | dict[str, float]] = Field(default_factory=dict)
    shard_events: PositiveInt = 50

    _file: Path | None = PrivateAttr(default=None)

    @property
    def hash(self) -> str:
        """Hash of the content."""
        return content_hash(self.model_dump(mode="json", exclude={"description"}))


class Shard(StrictModel):
    """A part of a dataset, fixed by the recipe alone."""

    number: int
    process: int
    index: int
    events: int

    @property
    def file_name(self) -> str:
        """Name of its file."""
        return f"shard-{self.number:05d}.npz"

    def seed(self, recipe: Recipe) -> SeedSequence:
        """Return the seed of the shard; independent streams for every shard."""
        return SeedSequence(recipe.seed, spawn_key=(1, self.process, self.index))


def split(events: Sequence[int], size: int) -> list[Shard]:
    """Return shards of at most ``size`` events of one process each; ``events`` is their number for each process."""
    shards: list[Shard] = []
    for process, total in enumerate(events):
        for index, start in enumerate(range(0, total, size)):
            shards.append(Shard(number=len(shards), process=process, index=index, events=min(size, total - start)))
    return shards


class Plan:
    """A recipe with everything it names loaded.

    Parameters
    ----------
    recipe
        The recipe.

    Raises
    ------
    ConfigError
        If it names something that does not exist or does not fit; the message names the recipe file.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        try:
            self.mode: Mode = load_mode(recipe.mode)
            self.setup: Setup = load_setup(recipe.setup)
            self.mode.check_setup(self.setup)
            self.conditions: Conditions = load_conditions(recipe.conditions or recipe.setup)
            self.beamline = Beamline(self.setup, self.conditions.for_run(recipe.run))
            self.digitisation: Digitisation = shifted(self._digitisation(), recipe.shifts)
            self.engine: Engine = recipe.engine.make(Engine)  # type: ignore[type-abstract]
            self.processes: list[Process] = [self._process(entry) for entry in recipe.processes]
            self.events = [
                self._events(entry, made) for entry, made in zip(recipe.processes, self.processes, strict=True)
            ]
        except ConfigError as error:
            raise ConfigError(f"{recipe._file or recipe.name}: {error}") from error
        self.labels = tuple(self.mode.processes)

    @property
    def shards(self) -> list[Shard]:
        """The shards in order."""
        return split(self.events, self.recipe.shard_events)

    def of(self, total: int) -> "Plan":
        """Return the plan for ``total`` events in the same proportions.

        Raises
        ------
        ConfigError
            If these are fewer than processes.
        """
        counts = shared_out(total, self.events)
        entries = zip(self.recipe.processes, counts, strict=True)
        processes = tuple(entry.model_copy(update={"events": n, "eot": None}) for entry, n in entries)
        made = copy(self)
        made.recipe, made.events = self.recipe.model_copy(update={"processes": processes}), counts
        return made

    def rates(self) -> list[dict[str, Any]]:
        """Return name, number of events and rate per particle on target of each process."""
        rows = []
        for made, events in zip(self.processes, self.events, strict=True):
            rate = made.rate(self.beamline)
            rows.append({"process": made.name, "events": events, "rate_per_eot": rate.value, "source": rate.source})
        return rows

    def _digitisation(self) -> Digitisation:
        name = self.conditions.digitisation
        if name is None:
            raise ConfigError(
                f"conditions '{self.recipe.conditions or self.recipe.setup}': key 'digitisation' is missing; name the "
                "digitisation that simulates these runs"
            )
        return load_digitisation(name)

    def _process(self, entry: ProcessEntry) -> Process:
        made = entry.make(Process)  # type: ignore[type-abstract]
        if made.name not in self.mode.processes:
            raise ConfigError(
                f"processes: mode '{self.mode.name}' has no class for process '{made.name}', only for "
                f"{', '.join(self.mode.processes)}"
            )
        return made

    def _events(self, entry: ProcessEntry, made: Process) -> int:
        if entry.events is not None:
            return entry.events
        expected = made.rate(self.beamline).value * float(entry.eot or 0)
        events = int(np.round(expected))
        if events < 1:
            raise ConfigError(
                f"processes: {made.name}: {entry.eot:g} particles on target give {expected:.3g} events; ask for more"
            )
        return events


def load_recipe(name_or_path: str, changes: Sequence[str] = ()) -> Recipe:
    """Load a recipe by the path of its YAML file; ``shipped:NAME`` is one in ``datasets``.

    Parameters
    ----------
    name_or_path
        Which recipe.
    changes
        Keys that get other values, see `~na64ml.key_changes.changed`.

    Raises
    ------
    ConfigError
        If there is none, or the file or a change is wrong.
    """
    path = shipped_or_own(name_or_path, ".yaml")
    content = read_yaml(path)
    if "showers" in content and "processes" not in content:
        raise ConfigError(f"{path}: key 'showers': this is the recipe of a shower library; add the option --library")
    recipe = validate(Recipe, changed(content, changes), path)
    recipe._file = path
    return recipe
