"""Dense arrays of the detectors of a batch of events, from which analysis variables are computed."""

from collections.abc import Collection
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import InputError
from na64ml.events.batch import HIT_FEATURES, TRACK_FEATURES, EventBatch
from na64ml.selection.absent import AbsentInputError
from na64ml.setups.conditions import Conditions
from na64ml.setups.detectors import Detector
from na64ml.setups.setup import Setup

Floats = NDArray[np.float64]

_X, _Y, _ENERGY, _TIME = (HIT_FEATURES.index(name) for name in ("x", "y", "energy", "time"))


class EventView:
    """Dense, cached arrays of one batch of events.

    Parameters
    ----------
    batch
        The events.
    setup
        The detector that measured them.
    conditions
        Impact cells, beam energies and bad spills by run.
    absent
        Inputs that the layout of the events does not have, see `absent_inputs`.
    """

    def __init__(self, batch: EventBatch, setup: Setup, conditions: Conditions, absent: Collection[str] = ()) -> None:
        self.batch = batch
        self.setup = setup
        self.conditions = conditions
        self.absent = frozenset(absent)
        self._energies: dict[str, Floats] = {}
        self._times: dict[str, Floats] = {}
        self._counts: dict[str, NDArray[np.int64]] = {}

    def __len__(self) -> int:
        return len(self.batch)

    def require(self, *inputs: str) -> None:
        """Check that the layout of the events provides ``inputs``.

        Raises
        ------
        AbsentInputError
            If it does not provide one of them.
        """
        for name in inputs:
            if name in self.absent:
                raise AbsentInputError(
                    f"the layout of these events has no '{name}'; add its branch to the layout, "
                    "or mark the cut that needs it 'optional: true'"
                )

    def detector(self, name: str) -> Detector:
        """Return a detector that both the setup and the events have.

        Raises
        ------
        AbsentInputError
            If one of them lacks it.
        """
        if name not in self.setup.detector_names or name not in self.batch.detectors:
            raise AbsentInputError(
                f"the events of setup '{self.setup.name}' have no detector '{name}', they have "
                f"{', '.join(self.batch.detectors)}; mark the cut that needs it 'optional: true'"
            )
        return self.setup.detector(name)

    def cells(self, name: str) -> Floats:
        """Return the energy of every channel in GeV, ``[n_events, *shape]``; 0 where there is no hit."""
        if name not in self._energies:
            detector = self.detector(name)
            slot, rows = self._slots(detector)
            size = len(self) * detector.n_channels
            flat = np.bincount(slot, weights=self.batch.hits[rows, _ENERGY], minlength=size)
            self._energies[name] = flat.astype(np.float64).reshape(len(self), *detector.shape)
        return self._energies[name]

    def times(self, name: str) -> Floats:
        """Return the time of every channel in ns, ``[n_events, *shape]``; NaN where there is none.

        Of several hits in one channel the most energetic one counts.
        """
        if name not in self._times:
            detector = self.detector(name)
            self.require(f"{name}.time")
            slot, rows = self._slots(detector)
            rising = np.argsort(self.batch.hits[rows, _ENERGY], kind="stable")
            flat = np.full(len(self) * detector.n_channels, np.nan)
            flat[slot[rising]] = self.batch.hits[rows[rising], _TIME]
            self._times[name] = flat.reshape(len(self), *detector.shape)
        return self._times[name]

    def hit_counts(self, name: str) -> NDArray[np.int64]:
        """Return the number of hits of every channel, ``[n_events, *shape]``; tracker ``[n, planes, 2]``."""
        if name not in self._counts:
            detector = self.detector(name)
            slot, _ = self._slots(detector)
            counts = np.bincount(slot, minlength=len(self) * detector.n_channels)
            self._counts[name] = counts.reshape(len(self), *detector.shape)
        return self._counts[name]

    def tracker_channel(self, label: str) -> tuple[Detector, int]:
        """Return the tracker and the channel of one projection such as ``ST03X``.

        Raises
        ------
        AbsentInputError
            If no tracker of the setup has it, or the layout of the events leaves it out.
        """
        self.require(label)
        trackers = [detector for detector in self.setup.detectors if detector.kind == "tracker"]
        for tracker in trackers:
            if label in tracker.channels.label:
                return self.detector(tracker.name), tracker.channels.label.index(label)
        known = ", ".join(label for tracker in trackers for label in tracker.channels.label)
        raise AbsentInputError(
            f"setup '{self.setup.name}' has no tracker projection '{label}', it has {known or 'none'}; "
            "mark the cut that needs it 'optional: true'"
        )

    def coordinates(self, label: str) -> tuple[NDArray[np.int64], Floats]:
        """Return the hits of one tracker projection such as ``ST03X``.

        Returns
        -------
        event, coordinate
            Event index (sorted) and measured coordinate in mm of each hit, ``[n_hits]``.
        """
        tracker, channel = self.tracker_channel(label)
        slot, rows = self._slots(tracker)
        chosen = slot % tracker.n_channels == channel
        measured = _X if channel % 2 == 0 else _Y
        return slot[chosen] // tracker.n_channels, self.batch.hits[rows[chosen], measured].astype(np.float64)

    def track(self, feature: str) -> Floats:
        """Return one of `TRACK_FEATURES` of the beam track, ``[n_events]``; NaN where not measured."""
        self.require(f"track.{feature}")
        return self.batch.track[:, TRACK_FEATURES.index(feature)].astype(np.float64)

    @cached_property
    def impact_point(self) -> Floats:
        """Where the beam particle enters the ECAL, mm ``[n_events, 2]``.

        Extrapolated track, or what the reader puts there without one: the mean impact of the beam in the run.
        """
        return self.batch.track[:, [TRACK_FEATURES.index("x"), TRACK_FEATURES.index("y")]].astype(np.float64)

    @cached_property
    def impact_cell(self) -> NDArray[np.int64]:
        """ECAL cell ``(ix, iy)`` that the beam hits in the run of each event, ``[n_events, 2]``."""
        runs, run_of_event = np.unique(self.batch.ids[:, 0], return_inverse=True)
        cells = [self.conditions.for_run(int(run)).impact_cell.value for run in runs]
        return np.asarray(cells, dtype=np.int64).reshape(-1, 2)[run_of_event]

    @cached_property
    def beam_energy(self) -> Floats:
        """Nominal beam energy in GeV in the run of each event, ``[n_events]``."""
        return self.conditions.beam_energies(self.setup, self.batch.ids[:, 0])

    def column(self, name: str) -> Floats:
        """Return a further event-level column of the layout, ``[n_events]``.

        Raises
        ------
        AbsentInputError
            If the layout has no such column.
        """
        if name not in self.batch.columns:
            raise AbsentInputError(
                f"the events have no column '{name}', they have "
                f"{', '.join(sorted(self.batch.columns)) or 'none'}; "
                "add it to the columns of the layout, or mark the cut that needs it 'optional: true'"
            )
        return np.asarray(self.batch.columns[name], dtype=np.float64)

    def _slots(self, detector: Detector) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the flat (event, channel) slot and the row of each hit of a detector."""
        rows = np.flatnonzero(self.batch.detector == self.batch.detector_index(detector.name))
        channel = self.batch.channel[rows].astype(np.int64)
        if len(rows) and not 0 <= channel.min() <= channel.max() < detector.n_channels:
            raise InputError(
                f"a hit in channel {int(channel.max())} of {detector.name}, which has only "
                f"{detector.n_channels} in setup '{self.setup.name}'; use the setup of the run period"
            )
        return self._event[rows] * detector.n_channels + channel, rows

    @cached_property
    def _event(self) -> NDArray[Any]:
        return self.batch.event


def sum_cells(cells: Floats) -> Floats:
    """Sum ``[n_events, ...]`` over everything but the events."""
    total: Floats = cells.reshape(len(cells), -1).sum(axis=1) if len(cells) else np.zeros(0)
    return total
