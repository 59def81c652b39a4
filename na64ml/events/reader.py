"""Reading ROOT files of any layout as a stream of event batches."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from na64ml.errors import ConfigError, InputError
from na64ml.events.batch import HIT_FEATURES, TRACK_FEATURES, UNKNOWN_PROCESS, EventBatch, concatenate
from na64ml.events.blocks import block_readers
from na64ml.events.contract import Contract
from na64ml.events.hits import Calibration, Hits
from na64ml.events.layout import BranchesBlock, Layout, Scalar, blaming, load_layout
from na64ml.events.root_files import expand, iterate_arrays, open_tree, require_branches
from na64ml.setups.conditions import Conditions, load_conditions
from na64ml.setups.setup import Setup, load_setup

logger = logging.getLogger(__name__)

DEFAULT_STEP = 10_000
"""Events held in memory at a time."""


class EventReader:
    """Reads ROOT files through a layout.

    Gains of the run conditions multiply the energies and hits of dead channels are left out. Where a layout
    has no impact point, it is the mean impact of the beam in that run: the one the conditions give, or else the
    centre of the impact cell plus the beam offset of the setup.

    Parameters
    ----------
    layout
        A layout or the name or path of one.
    setup, conditions
        Replace the ones the layout names.

    Raises
    ------
    ConfigError
        If the layout names an unknown setup, conditions or detector, or does not fit the setup.
    """

    def __init__(self, layout: Layout | str, setup: Setup | None = None, conditions: Conditions | None = None) -> None:
        self.layout = load_layout(layout) if isinstance(layout, str) else layout
        where = self.layout.where
        with blaming(f"{where}: key 'setup'"):
            self.setup = setup or load_setup(self.layout.setup)
        with blaming(f"{where}: key 'conditions'"):
            self.conditions = conditions or load_conditions(self.layout.conditions)
        with blaming(where):
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
        ConfigError
            If the conditions do not cover a run.
        """
        n_events = 0
        paths = expand(files)
        for file in paths:
            for batch in self.iterate_file(file, step):
                n_events += len(batch)
                yield batch
        self.require_events(n_events, paths)

    def require_events(self, n_events: int, paths: Sequence[str]) -> None:
        """Raise an error if the files together have no events.

        Raises
        ------
        InputError
            Naming the files.
        """
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

    def iterate_file(
        self, file: str, step: int = DEFAULT_STEP, start: int = 0, stop: int | None = None
    ) -> Iterator[EventBatch]:
        """Yield the events of one file in order, or its entries ``start`` to ``stop``; an empty tree is warned about.

        Raises
        ------
        InputError
            If the file cannot be read or does not have the layout's branches.
        ConfigError
            If the conditions do not cover a run.
        """
        with open_tree(file, self.layout.tree) as tree:
            yield from self.iterate_tree(tree, file, step, start, stop)

    def iterate_tree(
        self, tree: Any, file: str, step: int = DEFAULT_STEP, start: int = 0, stop: int | None = None
    ) -> Iterator[EventBatch]:
        """Yield the events of an open tree in order, or entries ``start`` to ``stop``; an empty tree is warned about.

        Parameters
        ----------
        tree
            TTree or RNTuple opened with uproot.
        file
            Where it is, for messages.

        Raises
        ------
        InputError
            If the tree cannot be read or does not have the layout's branches.
        ConfigError
            If the conditions do not cover a run.
        """
        wanted = self.branches(tree.keys(recursive=False), file)
        if tree.num_entries == 0:
            logger.warning("%s: tree '%s' is empty", file, tree.name)
            return
        for chunk in iterate_arrays(tree, file, wanted, step, start, stop):
            yield self._decode(chunk, file)

    def decode(self, arrays: Mapping[str, Any], where: str = "arrays") -> EventBatch:
        """Return the events in arrays that are already in memory.

        Parameters
        ----------
        arrays
            Awkward or NumPy array of each branch of the layout, one entry per event; further ones do no harm.
        where
            What to call them in messages.

        Raises
        ------
        InputError
            If the arrays do not have the layout's branches, or differ in length.
        ConfigError
            If the conditions do not cover a run.
        """
        wanted = self.branches(arrays, where)
        found = {name: _awkward(arrays[name], name, where) for name in wanted}
        lengths = {name: len(array) for name, array in found.items()}
        if len(set(lengths.values())) > 1:
            first, *others = lengths
            other = next(name for name in others if lengths[name] != lengths[first])
            raise InputError(
                f"{where}: branch '{first}' has {lengths[first]} events, branch '{other}' has {lengths[other]}; "
                "give one entry per event in each"
            )
        return self._decode(found, where)

    def branches(self, present: Iterable[str], where: str) -> list[str]:
        """Return the branches to read of those that are ``present`` in a file or elsewhere.

        Raises
        ------
        InputError
            If one that the layout needs is missing.
        """
        names = set(present)
        needed = self._needed(names)
        require_branches(where, self.layout.tree, sorted(names), needed)
        return [*needed, *sorted(self._optional() & names - needed.keys())]

    def _needed(self, present: set[str]) -> dict[str, str]:
        """Return the branches without which a file cannot be read, with the layout key that asks for each."""
        layout = self.layout
        needed = {branch: f"identifiers.{key}" for key, branch in layout.identifiers}
        for block in self._blocks:
            needed |= {branch: key for branch, key in block.branches.items() if branch not in block.optional}
        needed |= {scalar.branch: f"track.{key}" for key, scalar in layout.track.items() if not scalar.optional}
        needed |= {scalar.branch: f"columns.{key}" for key, scalar in layout.columns.items() if not scalar.optional}
        if layout.truth and layout.truth.process.branch in present:
            needed[layout.truth.process.branch] = "truth.process"
            needed |= {layout.truth.weight: "truth.weight"} if layout.truth.weight else {}
        return needed

    def _optional(self) -> set[str]:
        scalars = [*self.layout.track.values(), *self.layout.columns.values()]
        return {scalar.branch for scalar in scalars if scalar.optional}.union(*(b.optional for b in self._blocks))

    def _decode(self, arrays: dict[str, Any], file: str) -> EventBatch:
        layout = self.layout
        ids = np.stack([_integers(arrays[branch], branch, file) for _, branch in layout.identifiers], axis=1)
        runs, run_of_event = np.unique(ids[:, 0], return_inverse=True)

        def calibration(detector: str) -> Calibration:
            gains = self.conditions.gains(self.setup, detector, runs)
            dead = [self.conditions.dead_mask(self.setup, detector, int(run)) for run in runs]
            return Calibration(gains, np.array(dead, dtype=np.bool_).reshape(gains.shape), run_of_event)

        try:
            groups = [
                (self.detectors.index(block.detector.name), hits)
                for block in self._blocks
                for hits in block.read(arrays, calibration, file)
            ]
            track = self._track(arrays, runs, run_of_event, file)
        except ConfigError as error:
            raise ConfigError(f"{file}: {error}") from error
        return EventBatch(
            detectors=self.detectors,
            processes=self.processes,
            **_merge(groups, len(ids)),
            ids=ids,
            track=track,
            process=self._process(arrays, len(ids), file),
            weight=self._weight(arrays, len(ids), file),
            columns={
                name: _scaled(arrays[scalar.branch], scalar, file)
                for name, scalar in layout.columns.items()
                if scalar.branch in arrays
            },
        )

    def _track(
        self, arrays: dict[str, Any], runs: NDArray[np.int64], run_of_event: NDArray[np.int64], file: str
    ) -> NDArray[np.float32]:
        track = np.full((len(run_of_event), len(TRACK_FEATURES)), np.nan, dtype=np.float32)
        read = {name: scalar for name, scalar in self.layout.track.items() if scalar.branch in arrays}
        for name, scalar in read.items():
            track[:, TRACK_FEATURES.index(name)] = _scaled(arrays[scalar.branch], scalar, file)
        if "x" not in read and "y" not in read:
            impact = np.array([self.conditions.for_run(int(run)).impact_point(self.setup) for run in runs])
            track[:, [TRACK_FEATURES.index("x"), TRACK_FEATURES.index("y")]] = impact.reshape(-1, 2)[run_of_event]
        return track

    def _process(self, arrays: dict[str, Any], n_events: int, file: str) -> NDArray[np.int16]:
        truth = self.layout.truth
        if truth is None or truth.process.branch not in arrays:
            return np.full(n_events, UNKNOWN_PROCESS, dtype=np.int16)
        process = _integers(arrays[truth.process.branch], truth.process.branch, file)
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


def _merge(groups: list[tuple[int, Hits]], n_events: int) -> dict[str, NDArray[Any]]:
    """Interleave groups of hits, each with its detector index, event by event."""
    count = sum((hits.count for _, hits in groups), start=np.zeros(n_events, dtype=np.int64))
    offsets = np.concatenate([[0], np.cumsum(count)])
    features = np.empty((int(offsets[-1]), len(HIT_FEATURES)), dtype=np.float32)
    detector = np.empty(len(features), dtype=np.int16)
    channel = np.empty(len(features), dtype=np.int16)
    next_row = offsets[:-1].copy()
    for index, hits in groups:
        first = np.cumsum(hits.count) - hits.count
        rows = np.arange(len(hits.channel)) + np.repeat(next_row - first, hits.count)
        next_row += hits.count
        features[rows] = hits.features
        detector[rows] = index
        channel[rows] = hits.channel
    return {"offsets": offsets, "hits": features, "detector": detector, "channel": channel}


def _awkward(array: Any, branch: str, where: str) -> ak.Array:
    if isinstance(array, np.ndarray) and array.dtype == object:  # lists of different lengths, as uproot gives them
        array = array.tolist()
    try:
        return array if isinstance(array, ak.Array) else ak.Array(array)
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: branch '{branch}' is not an array of numbers or lists of numbers") from error


def _numbers(array: Any, branch: str, file: str) -> NDArray[Any]:
    values: NDArray[Any] | None = ak.to_numpy(array) if array.ndim == 1 else None
    if values is None or values.dtype.kind not in "biuf":
        raise InputError(f"{file}: branch '{branch}' is not one number per event; correct the layout")
    return values


def _integers(array: Any, branch: str, file: str) -> NDArray[np.int64]:
    values = _numbers(array, branch, file)
    if values.dtype.kind not in "iu":
        raise InputError(
            f"{file}: branch '{branch}' has the type {values.dtype}, an integer is needed; correct the layout"
        )
    return values.astype(np.int64)


def _scaled(array: Any, scalar: Scalar, file: str) -> NDArray[Any]:
    values = _numbers(array, scalar.branch, file)
    if scalar.missing is not None:
        floats = values if values.dtype.kind == "f" else values.astype(np.float64)
        values = np.where(floats == floats.dtype.type(scalar.missing), floats.dtype.type(np.nan), floats)
    return values * scalar.scale if scalar.scale != 1.0 else values
