"""Many events in columns: flat hit arrays and offsets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import InputError

if TYPE_CHECKING:
    import awkward as ak

HIT_FEATURES = ("x", "y", "z", "energy", "time", "axis")
"""Columns of ``EventBatch.hits``; units mm, mm, mm, GeV, ns and none."""

TRACK_FEATURES = ("p", "theta_x", "theta_y", "x", "y", "chi2")
"""Columns of ``EventBatch.track``; units GeV, rad, rad, mm, mm and none. (x, y) is the impact point."""

RECORD_FIELDS = frozenset({"run", "spill", "spillevent", "hits", "track", "process", "weight"})
"""Fields of an event as an awkward record; all others are columns of the layout."""

UNKNOWN_PROCESS = -1
"""Process index of real data and of simulation without truth."""

Select = slice | NDArray[np.bool_] | NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class EventBatch:
    """Events of one layout, stored as flat hit columns.

    Hits of event ``i`` are rows ``offsets[i]:offsets[i + 1]`` of the hit columns.

    Parameters
    ----------
    detectors
        Detector names; ``detector`` indexes this tuple.
    processes
        Names of the simulated processes; ``process`` indexes this tuple.
    offsets
        int64 ``[n_events + 1]``, starting at 0.
    hits
        float32 ``[n_hits, 6]`` with the columns of `HIT_FEATURES`. Missing time is NaN; the coordinate
        that a tracker projection does not measure is 0.
    detector, channel
        int16 ``[n_hits]``: which detector, and which channel of it (in the order of the setup).
    ids
        int64 ``[n_events, 3]``: run, spill and event in spill.
    track
        float32 ``[n_events, 6]`` with the columns of `TRACK_FEATURES`; NaN where not measured.
    process
        int16 ``[n_events]``, `UNKNOWN_PROCESS` where there is no truth.
    weight
        float64 ``[n_events]``.
    columns
        Further event-level columns ``[n_events]`` named by the layout (masses, truth flags, triggers).

    Raises
    ------
    InputError
        If the shapes do not belong together, or the offsets do not start at 0 or decrease.
    """

    detectors: tuple[str, ...]
    processes: tuple[str, ...]
    offsets: NDArray[np.int64]
    hits: NDArray[np.float32]
    detector: NDArray[np.int16]
    channel: NDArray[np.int16]
    ids: NDArray[np.int64]
    track: NDArray[np.float32]
    process: NDArray[np.int16]
    weight: NDArray[np.float64]
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.offsets) == 0 or self.offsets[0] != 0 or (np.diff(self.offsets) < 0).any():
            raise InputError("event batch: offsets must start at 0 and not decrease")
        n_events, n_hits = len(self.offsets) - 1, int(self.offsets[-1])
        expected = {
            "hits": (n_hits, len(HIT_FEATURES)),
            "detector": (n_hits,),
            "channel": (n_hits,),
            "ids": (n_events, 3),
            "track": (n_events, len(TRACK_FEATURES)),
            "process": (n_events,),
            "weight": (n_events,),
        }
        shapes = {name: getattr(self, name).shape for name in expected}
        expected |= {f"columns[{name}]": (n_events,) for name in self.columns}
        shapes |= {f"columns[{name}]": values.shape for name, values in self.columns.items()}
        wrong = [
            f"{name} is {shapes[name]}, not {expected[name]}" for name in expected if shapes[name] != expected[name]
        ]
        if wrong:
            raise InputError(f"event batch of {n_events} events and {n_hits} hits: " + "; ".join(wrong))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def n_hits(self) -> int:
        """Number of hits in all events."""
        return int(self.offsets[-1])

    @property
    def hits_per_event(self) -> NDArray[np.int64]:
        """Number of hits of each event, ``[n_events]``."""
        return np.diff(self.offsets)

    @property
    def event(self) -> NDArray[np.int64]:
        """Event index of each hit, ``[n_hits]``, sorted."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.hits_per_event)

    @property
    def has_truth(self) -> bool:
        """Whether every event knows its process; false for real data."""
        return len(self) > 0 and bool(np.all(self.process != UNKNOWN_PROCESS))

    def detector_index(self, name: str) -> int:
        """Return the index of a detector.

        Raises
        ------
        InputError
            If the batch has no such detector.
        """
        if name not in self.detectors:
            raise InputError(f"the events have no detector '{name}'; they have {', '.join(self.detectors)}")
        return self.detectors.index(name)

    def with_detectors(self, names: Sequence[str]) -> "EventBatch":
        """Return the events with detectors numbered in the order of ``names``, which may hold more than there are.

        Raises
        ------
        InputError
            If a detector of the events is not among ``names``.
        """
        ids, unknown = self.detector_ids(names)
        if unknown:
            raise InputError(f"the events have detectors {', '.join(unknown)} besides {', '.join(names)}")
        return replace(self, detectors=tuple(names), detector=ids.astype(self.detector.dtype)[self.detector])

    def detector_ids(self, names: Sequence[str]) -> tuple[NDArray[np.int64], list[str]]:
        """Return the place of each detector among ``names``, int64 ``[n_detectors]``, -1 if none, and those without."""
        place = {name: index for index, name in enumerate(names)}
        ids = np.array([place.get(name, -1) for name in self.detectors], dtype=np.int64)
        return ids, sorted(set(self.detectors) - place.keys())

    def select(self, which: Select) -> "EventBatch":
        """Return the chosen events, by slice, mask or indices, in the order asked for."""
        index = np.arange(len(self), dtype=np.int64)[which]
        counts = self.hits_per_event[index]
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[index] - offsets[:-1], counts)
        return replace(
            self,
            offsets=offsets,
            hits=self.hits[rows],
            detector=self.detector[rows],
            channel=self.channel[rows],
            ids=self.ids[index],
            track=self.track[index],
            process=self.process[index],
            weight=self.weight[index],
            columns={name: values[index] for name, values in self.columns.items()},
        )

    def to_awkward(self) -> "ak.Array":
        """Return the events as records with a list of hits each; hit columns are not copied."""
        import awkward as ak

        offsets = ak.index.Index64(np.ascontiguousarray(self.offsets))

        def lists(values: NDArray[Any]) -> ak.Array:
            return ak.Array(ak.contents.ListOffsetArray(offsets, ak.contents.NumpyArray(values)))

        hits = ak.zip(
            {
                **{name: lists(self.hits[:, i]) for i, name in enumerate(HIT_FEATURES)},
                "detector": lists(self.detector),
                "channel": lists(self.channel),
            }
        )
        track = ak.zip({name: self.track[:, i] for i, name in enumerate(TRACK_FEATURES)})
        identity = {name: self.ids[:, i] for i, name in enumerate(("run", "spill", "spillevent"))}
        return ak.Array(
            {
                **identity,
                "hits": hits,
                "track": track,
                "process": self.process,
                "weight": self.weight,
                **{name: np.asarray(values) for name, values in self.columns.items()},
            }
        )

    @classmethod
    def from_awkward(cls, array: "ak.Array", detectors: Sequence[str], processes: Sequence[str] = ()) -> "EventBatch":
        """Build a batch from records as `to_awkward` returns them."""
        import awkward as ak

        hits = array["hits"]
        counts = ak.to_numpy(ak.num(hits["x"]))
        flat = {name: ak.to_numpy(ak.flatten(hits[name])) for name in hits.fields}
        return cls(
            detectors=tuple(detectors),
            processes=tuple(processes),
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            hits=np.stack([flat[name] for name in HIT_FEATURES], axis=1).astype(np.float32),
            detector=flat["detector"].astype(np.int16),
            channel=flat["channel"].astype(np.int16),
            ids=np.stack([ak.to_numpy(array[name]) for name in ("run", "spill", "spillevent")], axis=1),
            track=np.stack([ak.to_numpy(array["track"][name]) for name in TRACK_FEATURES], axis=1),
            process=ak.to_numpy(array["process"]),
            weight=ak.to_numpy(array["weight"]),
            columns={name: ak.to_numpy(array[name]) for name in array.fields if name not in RECORD_FIELDS},
        )


def concatenate(batches: Sequence[EventBatch]) -> EventBatch:
    """Join batches in order.

    Raises
    ------
    InputError
        If there is none, or they differ in detectors, processes or columns.
    """
    if not batches:
        raise InputError("no events to join: the list of batches is empty")
    first = batches[0]
    for other in batches[1:]:
        for name in ("detectors", "processes"):
            if getattr(other, name) != getattr(first, name):
                raise InputError(f"cannot join events with {name} {getattr(first, name)} and {getattr(other, name)}")
        if set(other.columns) != set(first.columns):
            raise InputError(f"cannot join events with columns {sorted(first.columns)} and {sorted(other.columns)}")

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(batch, name) for batch in batches])

    return EventBatch(
        detectors=first.detectors,
        processes=first.processes,
        offsets=np.concatenate([[0], np.cumsum(np.concatenate([b.hits_per_event for b in batches]))]).astype(np.int64),
        **{name: joined(name) for name in ("hits", "detector", "channel", "ids", "track", "process", "weight")},
        columns={name: np.concatenate([batch.columns[name] for batch in batches]) for name in first.columns},
    )
