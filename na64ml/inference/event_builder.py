"""Filling events hit by hit, for code that loops over reconstructed events."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import ContractError, InputError
from na64ml.events.batch import HIT_FEATURES, TRACK_FEATURES, UNKNOWN_PROCESS, EventBatch
from na64ml.events.contract import Contract
from na64ml.events.hits import blank_features
from na64ml.inference.scorer import Scorer, Scores
from na64ml.selection.view import EventView
from na64ml.setups.conditions import Conditions, load_conditions
from na64ml.setups.detectors import Detector
from na64ml.setups.setup import Setup, load_setup

_X, _Y, _ENERGY, _TIME, _AXIS = (HIT_FEATURES.index(name) for name in ("x", "y", "energy", "time", "axis"))
_ONLY_Y = 2
"""Axis of a projection that measures y."""


@dataclass(frozen=True)
class ScoredEvent:
    """One event with its identifiers, status, score and class probabilities (NaN where the status is not 0)."""

    run: int
    spill: int
    spillevent: int
    status: int
    score: float
    probability: dict[str, float]
    passed: dict[str, bool]
    """Decision at each working point of the network."""


@dataclass
class _Event:
    """An event being filled: rows of hits with the place of each in the order of the network."""

    ids: tuple[int, int, int]
    track: NDArray[np.float32]
    places: list[tuple[int, int]] = field(default_factory=list)
    hits: list[NDArray[np.float32]] = field(default_factory=list)


class EventBuilder:
    """Collects events hit by hit and scores a few at a time, which is faster than one by one.

    The order in which channels are filled does not matter: hits are put in the order in which
    `~na64ml.events.reader.EventReader` gives them, so that the scores are the same. Several hits of one channel stay in
    the order of filling. Gains and dead channels of the run conditions are applied, as there.

    Parameters
    ----------
    scorer
        The network.
    setup, conditions
        The detector and its run conditions, or names or YAML files of them; conditions are by default those of the
        setup's name.

    Raises
    ------
    ConfigError
        If there is no such setup or there are no such conditions.
    ContractError
        If the setup does not fit the network.

    Examples
    --------
    ::

        event = EventBuilder(scorer, "na64e_reference")
        for e in reconstructed:
            event.begin(run=e.run, spill=e.spill, spillevent=e.spillevent)
            event.add("ECAL", 1, 3, 3, energy=e.ECAL[1][3][3].energy, time=e.ECAL[1][3][3].t0ns())
            for scored in event.end():
                use(scored)
        for scored in event.flush():
            use(scored)
    """

    def __init__(self, scorer: Scorer, setup: Setup | str, conditions: Conditions | str | None = None) -> None:
        self.scorer = scorer
        self.setup = load_setup(setup) if isinstance(setup, str) else setup
        if conditions is None:
            conditions = self.setup.name
        self.conditions = load_conditions(conditions) if isinstance(conditions, str) else conditions
        names = [name for name in scorer.metadata.detectors if name in self.setup.detector_names]
        found: dict[str, Detector] = {name: self.setup.detector(name) for name in names}
        kinds = {name: detector.kind for name, detector in found.items()}
        scorer.check(Contract(detectors=kinds), self.conditions.hash)
        self._detectors = {name: _Filled(detector, index) for index, (name, detector) in enumerate(found.items())}
        self._run: int | None = None
        self._event: _Event | None = None
        self._finished: list[_Event] = []

    def begin(self, run: int, spill: int = 0, spillevent: int = 0) -> None:
        """Start an event; an unfinished one is discarded. Its impact point is the mean one of the run.

        Raises
        ------
        ConfigError
            If the conditions do not cover the run.
        """
        if run != self._run:
            conditions = self.conditions.for_run(run)
            for filled in self._detectors.values():
                filled.gain = conditions.channel_gains(filled.detector)
                filled.dead = conditions.dead_channels(filled.detector)
            self._impact = conditions.impact_point(self.setup)
            self._run = run
        self._event = _Event((run, spill, spillevent), np.full(len(TRACK_FEATURES), np.nan, dtype=np.float32))
        self.set_track(x=self._impact[0], y=self._impact[1])

    def set_track(self, **features: float) -> None:
        """Set what is known of the track: ``p`` (GeV), ``theta_x``, ``theta_y`` (rad), ``x``, ``y`` (mm), ``chi2``.

        Raises
        ------
        InputError
            If there is no such feature.
        """
        event = self._open("track")
        for name, value in features.items():
            if name not in TRACK_FEATURES:
                raise InputError(f"a track has no '{name}'; it has {', '.join(TRACK_FEATURES)}")
            event.track[TRACK_FEATURES.index(name)] = value

    def add(self, detector: str, *index: int, energy: float, time: float = np.nan) -> None:
        """Add the energy (GeV) and time (ns, NaN if there is none) of a cell or element.

        Parameters
        ----------
        detector
            Its name.
        index
            Place in the shape of the detector, such as depth, x, y; axes of length one may be left out, and a single
            number counts all channels.

        Raises
        ------
        InputError
            If there is no such channel.
        ContractError
            If the network does not know the detector.
        """
        filled, event = self._find(detector), self._open(detector)
        channel = filled.channel(index)
        if filled.dead[channel]:
            return
        hit = filled.blank[channel].copy()
        hit[_ENERGY] = np.float32(energy) * filled.gain[channel]
        hit[_TIME] = time
        event.places.append((filled.place, channel))
        event.hits.append(hit)

    def add_coordinate(self, detector: str, projection: str, value: float) -> None:
        """Add the coordinate (mm) that a tracker projection such as ``MM5X`` measured.

        Raises
        ------
        InputError
            If the tracker has no such projection.
        ContractError
            If the network does not know the detector.
        """
        filled, event = self._find(detector), self._open(detector)
        labels = filled.detector.channels.label
        if projection not in labels:
            raise InputError(f"{detector} has no channel '{projection}', it has {', '.join(labels)}")
        channel = labels.index(projection)
        if filled.dead[channel]:
            return
        hit = filled.blank[channel].copy()
        hit[_Y if hit[_AXIS] == _ONLY_Y else _X] = value
        event.places.append((filled.place, channel))
        event.hits.append(hit)

    def end(self) -> list[ScoredEvent]:
        """Finish the event; return the scored events if there are enough for one call of the runtime, else none."""
        self._finished.append(self._open("end"))
        self._event = None
        return self.flush() if len(self._finished) >= self.scorer.micro_batch else []

    def flush(self) -> list[ScoredEvent]:
        """Score the finished events that are not scored yet, and return them in order."""
        finished, self._finished = self._finished, []
        if not finished:
            return []
        events = self._batch(finished)
        return self._scored(events, self.scorer.score(events, EventView(events, self.setup, self.conditions)))

    def _open(self, what: str) -> _Event:
        if self._event is None:
            raise InputError(f"{what}: no event was begun; call 'begin' first")
        return self._event

    def _find(self, detector: str) -> "_Filled":
        if detector not in self._detectors:
            raise ContractError(
                f"{self.scorer.model}: does not know detector {detector}; it was trained with "
                f"{', '.join(self._detectors)}. Leave out hits of other detectors"
            )
        return self._detectors[detector]

    def _batch(self, finished: list[_Event]) -> EventBatch:
        rows: list[tuple[int, int]] = []
        hits: list[NDArray[np.float32]] = []
        for event in finished:
            order = sorted(range(len(event.places)), key=event.places.__getitem__)
            rows += [event.places[i] for i in order]
            hits += [event.hits[i] for i in order]
        places = np.array(rows, dtype=np.int16).reshape(-1, 2)
        n_events = len(finished)
        return EventBatch(
            detectors=tuple(self._detectors),
            processes=(),
            offsets=np.cumsum([0, *(len(event.hits) for event in finished)], dtype=np.int64),
            hits=np.array(hits, dtype=np.float32).reshape(-1, len(HIT_FEATURES)),
            detector=places[:, 0],
            channel=places[:, 1],
            ids=np.array([event.ids for event in finished], dtype=np.int64),
            track=np.stack([event.track for event in finished]),
            process=np.full(n_events, UNKNOWN_PROCESS, dtype=np.int16),
            weight=np.ones(n_events),
        )

    def _scored(self, events: EventBatch, scores: Scores) -> list[ScoredEvent]:
        known = self.scorer.metadata
        passed = {name: self.scorer.passed(scores, name).tolist() for name in known.thresholds}
        probability: list[list[float]] = scores.probability.tolist()
        columns: Any = zip(events.ids.tolist(), scores.status.tolist(), scores.score.tolist(), probability, strict=True)
        return [
            ScoredEvent(
                run=run,
                spill=spill,
                spillevent=spillevent,
                status=status,
                score=score,
                probability=dict(zip(known.classes, values, strict=True)),
                passed={name: decisions[i] for name, decisions in passed.items()},
            )
            for i, ((run, spill, spillevent), status, score, values) in enumerate(columns)
        ]


class _Filled:
    """A detector with its place in the order of the network and the conditions of the current run."""

    gain: NDArray[np.float64]
    dead: NDArray[np.bool_]

    def __init__(self, detector: Detector, place: int) -> None:
        self.detector = detector
        self.place = place
        self.blank = blank_features(detector)
        self._shapes = {len(shape): shape for shape in self._accepted()}

    def channel(self, index: tuple[int, ...]) -> int:
        shape = self._shapes.get(len(index), ())
        if not shape or not all(0 <= i < n for i, n in zip(index, shape, strict=True)):
            raise InputError(
                f"{self.detector.name} has no channel {list(index)}, its shape is {list(self.detector.shape)}"
            )
        channel = 0
        for i, n in zip(index, shape, strict=True):
            channel = channel * n + i
        return channel

    def _accepted(self) -> list[tuple[int, ...]]:
        """Return the shapes that an index may refer to; of those with as many axes, the last one counts."""
        shape = self.detector.shape
        return [tuple(n for n in shape if n != 1), shape, (self.detector.n_channels,)]
