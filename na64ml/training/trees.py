"""Training of boosted trees on analysis variables."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from na64ml.errors import ConfigError
from na64ml.events.batch import EventBatch
from na64ml.graphs.datamodule import EventDataModule
from na64ml.graphs.sample import Part, Sample
from na64ml.models.boosted_trees import Table, Trees, TreeSettings, grow
from na64ml.models.checkpoint import NetworkRecord
from na64ml.models.inputs import network_inputs
from na64ml.selection.table import variable_table
from na64ml.selection.variables import check_variable
from na64ml.selection.view import EventView
from na64ml.selection.viewer import make_viewer
from na64ml.yaml_files import StrictModel

_STEP = 10_000
"""Events whose variables are computed at a time."""

Bar = Callable[[str, int, str], AbstractContextManager[Callable[[int], None]]]
"""Shows progress: what is done, how much of it there is, and its unit."""


class TreesData(StrictModel):
    """Training events; the keys mean what they do for `na64ml.graphs.datamodule.EventDataModule`."""

    files: tuple[str, ...] = Field(min_length=1)
    layout: str = "na64e_reference"
    mode: str = "na64e_invisible"
    dataset: str = "na64e_reference"
    n_folds: int = 5
    fold: int = 0
    validation: float = 0.1
    event_weights: bool = False


class TreesConfig(StrictModel):
    """A training.

    Parameters
    ----------
    data
        The events and their split.
    variables
        Analysis variables, in order.
    trees
        How the trees are grown.
    """

    data: TreesData
    variables: tuple[str, ...] = Field(min_length=1)
    trees: TreeSettings = TreeSettings()


def fit_trees(config: TreesConfig, cache: Path, bar: Bar) -> tuple[Trees, NetworkRecord, EventDataModule]:
    """Train trees on the training part of the events.

    Parameters
    ----------
    cache
        Folder of the event cache, the same as for networks.

    Returns
    -------
    trees, record, data
        The trees, where they come from, and the events.

    Raises
    ------
    ConfigError
        If a variable is unknown or given twice, or a class has no training events.
    InputError
        If the events cannot be read, have no truth or do not have what a variable needs.
    """
    _check_variables(config.variables)
    data = EventDataModule(**{**config.data.model_dump(), "files": list(config.data.files)}, cache=str(cache))
    sample = data.sample
    sample.require_classes()
    with bar("analysis variables", len(sample.events), "events") as progress:
        values = variables_of(sample.events, make_viewer(data.reader), config.variables, progress)
    train, validation = (_table(sample, values, part) for part in ("train", "validation"))
    with bar("boosting", config.trees.num_iterations, "rounds") as progress:
        booster = grow(train, len(sample.classes), config.trees, validation, config.variables, progress)
    inputs = network_inputs(data.reader, data.mode)
    record = NetworkRecord(
        class_path="lightgbm.Booster",
        init_args=config.trees.model_dump(),
        inputs=inputs,
        contract=data.manifest.contract,
        conditions_hash=data.manifest.conditions_hash,
        data_hash=data.manifest.data_hash,
        layout=data.reader.layout.name,
        mode=data.mode.name,
        split=data.split,
    )
    return Trees(booster, config.variables, inputs), record, data


def variables_of(
    events: EventBatch,
    make_view: Callable[[EventBatch], EventView],
    names: tuple[str, ...],
    progress: Callable[[int], None] = lambda n_events: None,
) -> NDArray[np.float32]:
    """Return analysis variables ``[n_events, n_variables]`` of many events, some at a time."""
    values = np.empty((len(events), len(names)), dtype=np.float32)
    for start in range(0, len(events), _STEP):
        some = events.select(slice(start, start + _STEP))
        values[start : start + _STEP] = variable_table(names, make_view(some))
        progress(len(some))
    return values


def _table(sample: Sample, values: NDArray[np.float32], part: Part) -> Table:
    chosen = sample.part(part)
    members = chosen.members
    return Table(values[members], chosen.label[members], chosen.weight[members])


def _check_variables(names: tuple[str, ...]) -> None:
    for name in names:
        check_variable(name)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"variables: {', '.join(twice)} is given more than once; give each variable once")
