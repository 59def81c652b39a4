"""A search mode: setups, classes, trigger, selections, exposure and blinded region."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PrivateAttr, model_validator

from na64ml.errors import ConfigError
from na64ml.events.batch import UNKNOWN_PROCESS, EventBatch
from na64ml.resources import shipped
from na64ml.selection.cuts import CutInputs, Mask, Tree, Truth
from na64ml.selection.selection import Selection, find_selection, load_selection
from na64ml.selection.variables import compute
from na64ml.selection.view import EventView
from na64ml.setups.setup import Setup
from na64ml.setups.sourced import Fraction, Positive
from na64ml.yaml_files import StrictModel, load_model

DATA_LABEL = -1
"""Class index of events without truth."""


class Region(StrictModel):
    """A region of events and where its limits come from.

    Parameters
    ----------
    require
        The tree that is true inside.
    source
        Tag of physics.md.
    """

    require: Tree
    source: str

    def evaluate(self, view: EventView) -> Truth:
        """Return which events are inside, outside, and neither (undefined)."""
        return self.require.evaluate(CutInputs(compute(set(self.require.variables()), view), {}))


class Mode(StrictModel):
    """One search.

    Parameters
    ----------
    name, description
        What it is called and what is searched for.
    setups
        Names of the setups it runs on.
    classes
        Names of the classes; the first is the signal.
    processes
        Simulated process to class.
    reducible
        Background classes that better rejection can remove.
    trigger
        Trigger condition on simulated events.
    selections
        Names of its selections, files in the folder ``selection`` beside the mode file.
    exposure
        Particles on target by period.
    background_fractions
        Share of each background class in the denominator of the score; they sum to 1.
    blinded
        Region in which data stay hidden.
    blinded_by_setup
        The region of setups in which it is another one, by name of the setup.
    """

    name: str
    description: str = ""
    setups: tuple[str, ...] = Field(min_length=1)
    classes: tuple[str, ...] = Field(min_length=2)
    processes: dict[str, str]
    reducible: tuple[str, ...]
    trigger: Region
    selections: tuple[str, ...]
    exposure: dict[str, Positive]
    background_fractions: dict[str, Fraction]
    blinded: Region
    blinded_by_setup: dict[str, Region] = Field(default_factory=dict)

    _file: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _check_classes(self) -> "Mode":
        backgrounds = set(self.classes[1:])
        for key, names in (
            ("processes", set(self.processes.values()) - {self.signal}),
            ("reducible", set(self.reducible)),
            ("background_fractions", set(self.background_fractions)),
        ):
            if unknown := names - backgrounds:
                raise ValueError(
                    f"{key}: unknown background class {', '.join(sorted(unknown))}; "
                    f"known are {', '.join(self.classes[1:])}"
                )
        if unknown := set(self.blinded_by_setup) - set(self.setups):
            raise ValueError(
                f"blinded_by_setup: unknown setup {', '.join(sorted(unknown))}; known are {', '.join(self.setups)}"
            )
        if missing := backgrounds - set(self.background_fractions):
            raise ValueError(f"background_fractions: no fraction for {', '.join(sorted(missing))}")
        total = sum(fraction.value for fraction in self.background_fractions.values())
        if abs(total - 1) > 1e-6:
            raise ValueError(f"background_fractions: sum to {total:g}, not 1")
        return self

    @property
    def signal(self) -> str:
        """Name of the signal class."""
        return self.classes[0]

    @property
    def fractions(self) -> NDArray[np.float64]:
        """Background fractions in the order of ``classes[1:]``, ``[n_classes - 1]``."""
        return np.array([self.background_fractions[name].value for name in self.classes[1:]])

    def class_index(self, name: str) -> int:
        """Return the index of a class.

        Raises
        ------
        ConfigError
            If the mode has no such class.
        """
        if name not in self.classes:
            raise ConfigError(f"{self._where}: unknown class '{name}'; the classes are {', '.join(self.classes)}")
        return self.classes.index(name)

    def check_setup(self, setup: Setup) -> None:
        """Check that the mode runs on a setup.

        Raises
        ------
        ConfigError
            If not, naming the mode file and the setups it lists.
        """
        if setup.name not in self.setups:
            raise ConfigError(
                f"{self._where}: key 'setups': the mode does not run on setup '{setup.name}', only on "
                f"{', '.join(self.setups)}; choose another layout, setup or mode, or add the setup to the list"
            )

    def blinded_in(self, setup: Setup) -> Region:
        """Return the region in which the data of a setup stay hidden."""
        return self.blinded_by_setup.get(setup.name, self.blinded)

    def label(self, batch: EventBatch) -> NDArray[np.int16]:
        """Return the class index of each event, ``[n_events]``; `DATA_LABEL` without truth.

        Raises
        ------
        ConfigError
            If the process of an event is not mapped to a class.
        """
        used = np.unique(batch.process[batch.process != UNKNOWN_PROCESS])
        table = np.full(len(batch.processes) + 1, DATA_LABEL, dtype=np.int16)
        for process in used:
            name = batch.processes[process]
            if name not in self.processes:
                raise ConfigError(
                    f"{self._where}: key 'processes' has no class for process '{name}'; add it, "
                    f"for instance '{name}: {self.classes[1]}'"
                )
            table[process] = self.class_index(self.processes[name])
        return table[batch.process]

    def trigger_mask(self, view: EventView) -> Mask:
        """Return which events fulfil the trigger condition, bool ``[n_events]``."""
        return self.trigger.evaluate(view).true

    def selection(self, name: str) -> Selection:
        """Load one of the selections of this mode by name, or any by path."""
        return load_selection(name, self._selection_folder)

    def check_selections(self) -> None:
        """Check that every name in ``selections`` has its file.

        Raises
        ------
        ConfigError
            If one has none.
        """
        for name in self.selections:
            try:
                path = find_selection(name, self._selection_folder)
            except ConfigError as error:
                raise ConfigError(f"{self._where}: key 'selections': {error}") from error
            if not path.is_file():
                raise ConfigError(f"{self._where}: key 'selections': there is no file {path}; correct the name")

    @property
    def _selection_folder(self) -> Path | None:
        return self._file.parent / "selection" if self._file else None

    @property
    def _where(self) -> str:
        return str(self._file) if self._file else f"mode '{self.name}'"


def load_mode(name: str) -> Mode:
    """Load a shipped mode by name, or any mode by the path of its YAML file.

    Raises
    ------
    ConfigError
        If there is no such mode, the file is wrong, or a selection it names does not exist.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else shipped("configs") / name / "mode.yaml"
    if path.name == "mode.yaml" and not path.is_file():
        known = ", ".join(sorted(file.parent.name for file in shipped("configs").glob("*/mode.yaml")))
        raise ConfigError(f"unknown mode '{name}'; shipped are: {known}; or give the path of a YAML file")
    mode = load_model(Mode, path)
    mode._file = path
    mode.check_selections()
    return mode
