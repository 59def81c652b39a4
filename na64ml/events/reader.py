"""Reading ROOT files of any layout as a stream of event batches."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from na64ml.errors import InputError
from na64ml.events.batch import (
    HIT_FEATURES,
    TRACK_FEATURES,
    UNKNOWN_PROCESS,
    EventBatch,
    concatenate,
)
from na64ml.events.blocks import BlockReader, Hits, block_readers
from na64ml.events.contract import Contract
from na64ml.events.layout import BranchesBlock, Layout, Scalar, load_layout
from na64ml.events.root_files import damaged, expand, open_tree, require_branches
from na64ml.setups.channels import AXIS_X, AXIS_Y
from na64ml.setups.conditions import Conditions, load_conditions
from na64ml.setups.setup import Setup, load_setup

logger = logging.getLogger(__name__)

DEFAULT_STEP = 10_000
"""Events held in memory at a time."""


class EventReader:
    """Reads ROOT files through a layout.

    Gains of the run conditions multiply the energies and hits of dead channels are left out. Where a layout
    has no beam track, the impact point is the centre of the cell that the beam hits in that run.

    Parameters
    ----------
    layout
        A layout or the name or path of one.
    setup, conditions
        Replace the ones the layout names.

    Raises
    ------
    ConfigError
        If the layout does not fit the setup.
    """

    def __init__(self, layout: Layout | str, setup: Setup | None = None, conditions: Conditions | None = None) -> None:
        self.layout = load_layout(layout) if isinstance(layout, str) else layout
        self.setup = setup or load_setup(self.layout.setup)
        self.conditions = conditions or load_conditions(self.layout.conditions)
        self._blocks = block_readers(self.layout.detectors, self.setup)
        self.detectors = tuple(dict.fromkeys(block.detector.name for block in self._blocks))
        truth = self.layout.truth
        self.processes = truth.process.names if truth else ()

    def iterate(self, files: str | Path | Sequence[str | Path], step: int = DEFAULT_STEP) -> Iterator[EventBatch]:
        """Yield the events of all files in order, at most ``step`` at a time.

        Raises
        ------
        InputError
            If a file cannot be read, does not have the layout's branches, or no file has events.
        """
        n_events = 0
        paths = expand(files)
        for file in paths:
            for batch in self._iterate_file(file, step):
                n_events += len(batch)
                yield batch
        if n_events == 0:
            raise InputError(f"{', '.join(paths)}: tree '{self.layout.tree}' has no events; nothing to do")

    def read(self, files: str | Path | Sequence[str | Path]) -> EventBatch:
        """Read all events of all files into one batch."""
        return concatenate(list(self.iterate(files)))

    def count(self, files: str | Path | Sequence[str | Path]) -> int:
        """Return the number of events of all files."""
        total = 0
        for file in expand(files):
            with open_tree(file, self.layout.tree) as tree:
                total += int(tree.num_entries)
        return total

    @property
    def contract(self) -> Contract:
        """What a network must agree on with the events read here."""
        blocks = self.layout.detectors
        sums = {b.detector for b in blocks if isinstance(b, BranchesBlock) and b.granularity == "segment"}
        kinds = {name: self.setup.detector(name).kind for name in self.detectors}
        return Contract(
            detectors={name: f"{kind} (segment sums)" if name in sums else kind for name, kind in kinds.items()}
        )

    def needed_branches(self) -> dict[str, str]:
        """Return the branches without which a file cannot be read, with the layout key that asks for each."""
        layout = self.layout
        needed = {branch: f"identifiers.{key}" for key, branch in layout.identifiers}
        for block in self._blocks:
            needed |= {branch: key for branch, key in block.branches.items() if branch not in block.optional}
        needed |= {scalar.branch: f"track.{key}" for key, scalar in layout.track.items() if not scalar.optional}
        return needed | {s.branch: f"columns.{key}" for key, s in layout.columns.items() if not s.optional}

    def optional_branches(self) -> set[str]:
        """Return the branches that are read where present: truth and optional columns."""
        scalars: list[Scalar] = [*self.layout.track.values(), *self.layout.columns.values()]
        optional = {scalar.branch for scalar in scalars if scalar.optional}
        optional |= {branch for block in self._blocks for branch in block.optional}
        if self.layout.truth:
            optional.add(self.layout.truth.process.branch)
            optional |= {self.layout.truth.weight} if self.layout.truth.weight else set()
        return optional

    def _iterate_file(self, file: str, step: int) -> Iterator[EventBatch]:
        with open_tree(file, self.layout.tree) as tree:
            present = list(tree.keys(recursive=False))
            needed = self.needed_branches()
            require_branches(file, self.layout.tree, present, needed)
            wanted = [*needed, *sorted(self.optional_branches() & set(present))]
            if tree.num_entries == 0:
                logger.warning("%s: tree '%s' is empty", file, self.layout.tree)
            for start in range(0, tree.num_entries, step):
                stop = min(start + step, tree.num_entries)
                try:
                    chunk = tree.arrays(wanted, entry_start=start, entry_stop=stop, library="ak", how=dict)
                except Exception as error:  # uproot raises many kinds on damaged bytes
                    raise damaged(file, error) from error
                yield self._decode(chunk, stop - start, file)

    def _decode(self, arrays: dict[str, Any], n_events: int, file: str) -> EventBatch:
        layout = self.layout
        ids = np.stack([_numbers(arrays[b], b, file) for _, b in layout.identifiers], axis=1).astype(np.int64)
        runs, run_of_event = np.unique(ids[:, 0], return_inverse=True)

        def calibration(detector: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
            gains = self.conditions.gains(self.setup, detector, runs)
            dead = np.stack([self.conditions.dead_mask(self.setup, detector, int(run)) for run in runs])
            return (gains, dead) if len(runs) == 1 else (gains[run_of_event], dead[run_of_event])

        groups = [(block, hits) for block in self._blocks for hits in block.read(arrays, n_events, calibration, file)]
        track = self._track(arrays, runs, run_of_event, file)
        return EventBatch(
            detectors=self.detectors,
            processes=self.processes,
            **self._merge(groups, n_events),
            ids=ids,
            track=track,
            process=self._process(arrays, n_events, file),
            weight=self._weight(arrays, n_events, file),
            columns={
                name: _scaled(arrays[scalar.branch], scalar, file)
                for name, scalar in layout.columns.items()
                if scalar.branch in arrays
            },
        )

    def _merge(self, groups: list[tuple[BlockReader, Hits]], n_events: int) -> dict[str, NDArray[Any]]:
        """Interleave the hits of all detectors event by event."""
        total = sum((hits.count for _, hits in groups), start=np.zeros(n_events, dtype=np.int64))
        offsets = np.concatenate([[0], np.cumsum(total)]).astype(np.int64)
        features = np.empty((int(offsets[-1]), len(HIT_FEATURES)), dtype=np.float32)
        detector = np.empty(len(features), dtype=np.int16)
        channel = np.empty(len(features), dtype=np.int16)
        next_row = offsets[:-1].copy()
        for block, hits in groups:
            first = np.cumsum(hits.count) - hits.count
            rows = np.arange(len(hits.channel)) + np.repeat(next_row - first, hits.count)
            next_row += hits.count
            features[rows] = _features(block, hits)
            detector[rows] = self.detectors.index(block.detector.name)
            channel[rows] = hits.channel
        return {"offsets": offsets, "hits": features, "detector": detector, "channel": channel}

    def _track(
        self, arrays: dict[str, Any], runs: NDArray[np.int64], run_of_event: NDArray[np.int64], file: str
    ) -> NDArray[np.float32]:
        track = np.full((len(run_of_event), len(TRACK_FEATURES)), np.nan, dtype=np.float32)
        for column, name in enumerate(TRACK_FEATURES):
            scalar = self.layout.track.get(name)
            if scalar is not None and scalar.branch in arrays:
                track[:, column] = _scaled(arrays[scalar.branch], scalar, file)
        if "x" not in self.layout.track:
            impact = np.array([self.conditions.for_run(int(run)).impact_point(self.setup) for run in runs])
            track[:, 3:5] = impact[run_of_event]
        return track

    def _process(self, arrays: dict[str, Any], n_events: int, file: str) -> NDArray[np.int16]:
        truth = self.layout.truth
        if truth is None or truth.process.branch not in arrays:
            return np.full(n_events, UNKNOWN_PROCESS, dtype=np.int16)
        process = _numbers(arrays[truth.process.branch], truth.process.branch, file)
        outside = (process < 0) | (process >= len(truth.process.names))
        if outside.any():
            raise InputError(
                f"{file}: branch '{truth.process.branch}' has the value {process[outside][0]}, the layout names "
                f"{len(truth.process.names)} processes; add the name to the layout key truth.process.names"
            )
        return process.astype(np.int16)

    def _weight(self, arrays: dict[str, Any], n_events: int, file: str) -> NDArray[np.float64]:
        truth = self.layout.truth
        if truth is None or truth.weight is None or truth.weight not in arrays:
            return np.ones(n_events)
        weight = _numbers(arrays[truth.weight], truth.weight, file).astype(np.float64)
        wrong = ~(np.isfinite(weight) & (weight >= 0))
        if wrong.any():
            raise InputError(
                f"{file}: branch '{truth.weight}' has the value {weight[wrong][0]}; event weights must be finite "
                "and not negative: repair the file or leave the key truth.weight out of the layout"
            )
        return weight


def _features(block: BlockReader, hits: Hits) -> NDArray[np.float32]:
    channels = block.detector.channels
    axis = channels.axis[hits.channel]
    position = channels.position[hits.channel].astype(np.float32)
    if hits.coordinate is not None:
        measured = axis[:, None] == (AXIS_X, AXIS_Y)
        position[:, :2] = np.where(measured, hits.coordinate[:, None], np.float32(0))
    return np.column_stack([position, hits.energy, hits.time, axis]).astype(np.float32)


def _numbers(array: Any, branch: str, file: str) -> NDArray[Any]:
    values: NDArray[Any] | None = ak.to_numpy(array) if ak.Array(array).ndim == 1 else None
    if values is None or values.dtype.kind not in "biuf":
        raise InputError(f"{file}: branch '{branch}' is not one number per event; correct the layout")
    return values


def _scaled(array: Any, scalar: Scalar, file: str) -> NDArray[Any]:
    values = _numbers(array, scalar.branch, file)
    if values.dtype.kind == "f" and scalar.missing is not None:
        values = np.where(values == values.dtype.type(scalar.missing), np.nan, values)
    return values * scalar.scale if scalar.scale != 1.0 else values
