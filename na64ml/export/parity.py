"""Comparison of an exported file with PyTorch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from na64ml.errors import Na64mlError
from na64ml.events.batch import TRACK_FEATURES, EventBatch
from na64ml.events.reader import EventReader
from na64ml.graphs.batch import PackedBatch, pack
from na64ml.inference.scorer import Scorer, Scores
from na64ml.inference.status import SCORED
from na64ml.models.delivered import DeliveredNetwork
from na64ml.models.inputs import NetworkInputs
from na64ml.models.network import EventNetwork

ABSOLUTE = 1e-5
RELATIVE = 1e-5
_SCORE_MARGIN = 2.0
"""The score is a difference of two logarithms, each as uncertain as a logit."""
_BATCHES = (1, 64)
_CUT_EVENTS = 8
_NOT_IMPACT_POINT = [TRACK_FEATURES.index(name) for name in ("p", "theta_x", "theta_y", "chi2")]
DEFAULT_NEIGHBOURS = 8
"""Size of the small events that are compared if a network has no ``k``."""
PARITY_EVENTS = 256
"""Ordinary events that the commands compare."""


class ParityError(Na64mlError):
    """The exported file and PyTorch disagree."""


def spread(events: EventBatch, n_events: int = PARITY_EVENTS) -> EventBatch:
    """Return at most ``n_events`` events at equal distances, of all kinds if the events are sorted by kind."""
    return events.select(np.unique(np.linspace(0, len(events) - 1, n_events).astype(np.int64)))


def neighbours_of(network: EventNetwork) -> int:
    """Return the neighbours of a hit, the largest number of several networks that are joined."""
    parts = [part for part in network.modules() if isinstance(part, EventNetwork)]
    return max((int(part.hparams["k"]) for part in parts if "k" in part.hparams), default=DEFAULT_NEIGHBOURS)


def check_parity(delivered: DeliveredNetwork, path: Path, events: EventBatch, k: int) -> None:
    """Compare a file with the module it was made from.

    On real events in batches of 1 and 64, on events cut to 1, k-1, k and k+1 hits (calorimeter hits first, so that
    they are scored), on a batch of empty events only, and on events without a track: logits must agree within
    1e-5 + 1e-5 |x|, statuses and decisions must be equal. The decisions are the most probable class, and whether the
    score is above each working point and each quantile of the scores, for events whose score is not within the
    tolerance of this threshold.

    Raises
    ------
    ParityError
        Naming the first case that disagrees and by how much, or in which no event is scored though it has hits.
    """
    compare_file(path, events, k, delivered.inputs, lambda batch, size: reference_scores(delivered, batch, size))


def compare_file(
    path: Path,
    events: EventBatch,
    k: int,
    inputs: NetworkInputs,
    reference: Callable[[EventBatch, int], Scores],
    reader: EventReader | None = None,
    probability_within: float | None = None,
) -> None:
    """Compare a file with what it was made from, in the cases of `check_parity`.

    Parameters
    ----------
    reference
        Scores events, as many at a time as it is told.
    reader
        Reader of the events, for files that take analysis variables.
    probability_within
        Largest difference of probabilities; by default, they are not compared beside logits and decisions.

    Raises
    ------
    ParityError
        As `check_parity`.
    """
    if len(events) == 0:
        raise ParityError(f"{path}: parity cannot be checked without events; give a file with events")
    kinds = {detector.name: detector.kind for detector in inputs.detectors}
    seen = np.unique(events.event[in_calorimeter(events, kinds)])
    if len(seen) == 0:
        raise ParityError(f"{path.name}: no event has a calorimeter hit, nothing can be compared; give other events")
    few = calorimeter_first(events.select(seen[:_CUT_EVENTS]), kinds)
    for name, batch, size in cases(events, few, k):
        scorer = Scorer(path, micro_batch=size, layout=reader)
        found, expected = scorer.score(batch), reference(batch, size)
        _compare(f"{path.name}: {name}", found, expected, list(scorer.metadata.thresholds.values()))
        if probability_within is not None:
            _compare_probabilities(f"{path.name}: {name}", found, expected, probability_within)
        if batch.n_hits and not (expected.status == SCORED).any():
            raise ParityError(f"{path.name}: {name}: none has status 0, nothing was compared; give other events")


def example_inputs(events: EventBatch) -> dict[str, NDArray[np.generic]]:
    """Return events as the inputs of a network file, by name."""
    batch = _packed(events, 0, len(events))
    tensors = {"hits": batch.hits, "detector": batch.detector, "event": batch.event, "track": batch.track}
    return {name: tensor.numpy() for name, tensor in tensors.items()}


def cases(events: EventBatch, few: EventBatch, k: int) -> Iterator[tuple[str, EventBatch, int]]:
    """Yield the cases: description, events and batch size; ``few`` are the events that are cut to their first hits."""
    for size in _BATCHES:
        yield f"real events in batches of {size}", events, size
    for n_hits in (0, 1, k - 1, k, k + 1):
        yield f"events of {n_hits} hits", first_hits(few, np.full(len(few), n_hits)), len(few)
    mixed = np.arange(len(few)) % (k + 2)
    yield "events of 0 to k+1 hits in one batch", first_hits(few, mixed), len(few)
    track = few.track.copy()
    track[:, _NOT_IMPACT_POINT] = np.nan
    yield "events with nothing of the track but its impact point", replace(few, track=track), len(few)


def in_calorimeter(events: EventBatch, kinds: Mapping[str, str]) -> NDArray[np.bool_]:
    """Return which hits are in a calorimeter, ``[n_hits]``; ``kinds`` are the kinds of the detectors by name."""
    is_calorimeter = np.array([kinds[name] == "calorimeter" for name in events.detectors], dtype=bool)
    return is_calorimeter[events.detector]


def calorimeter_first(events: EventBatch, kinds: Mapping[str, str]) -> EventBatch:
    """Return the events with their calorimeter hits before all others."""
    rows = np.lexsort([~in_calorimeter(events, kinds), events.event])
    return replace(events, hits=events.hits[rows], detector=events.detector[rows], channel=events.channel[rows])


def first_hits(events: EventBatch, n_hits: NDArray[np.int64]) -> EventBatch:
    """Return the events with at most their first ``n_hits`` ``[n_events]`` hits."""
    kept = np.minimum(events.hits_per_event, n_hits)
    offsets = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    rows = np.arange(offsets[-1]) + np.repeat(events.offsets[:-1] - offsets[:-1], kept)
    return replace(
        events,
        offsets=offsets,
        hits=events.hits[rows],
        detector=events.detector[rows],
        channel=events.channel[rows],
    )


def reference_scores(delivered: DeliveredNetwork, events: EventBatch, size: int) -> Scores:
    """Score events with PyTorch; detectors are found by name."""
    events = events.with_detectors(delivered.network.inputs.detector_names)
    parts = []
    with torch.inference_mode():
        for start in range(0, len(events), size):
            batch = _packed(events, start, min(start + size, len(events)))
            parts.append(delivered(batch.hits, batch.detector, batch.event, batch.track))
    logits, probability, score, status = (torch.cat(columns).numpy() for columns in zip(*parts, strict=True))
    return Scores(logits, probability, score, status.astype(np.int8))


def _packed(events: EventBatch, start: int, stop: int) -> PackedBatch:
    label = np.zeros(len(events), dtype=np.int64)
    return pack(events, np.arange(start, stop), label, np.ones(len(events), dtype=np.float32))


def _compare(case: str, found: Scores, expected: Scores, working_points: list[float]) -> None:
    if not np.array_equal(found.status, expected.status):
        event = int(np.argmax(found.status != expected.status))
        raise ParityError(
            f"{case}: status of event {event} is {found.status[event]}, PyTorch says {expected.status[event]}"
        )
    scored = expected.status == SCORED
    if not np.array_equal(np.isnan(found.score), ~scored):
        raise ParityError(f"{case}: events that are not scored must have the score NaN, and only these")
    if not scored.any():
        return
    x, y = found.logits[scored], expected.logits[scored]
    excess = np.abs(x - y) - (ABSOLUTE + RELATIVE * np.abs(y))
    if not np.all(excess <= 0):
        raise ParityError(
            f"{case}: logits differ by up to {np.abs(x - y).max():.3g} (allowed {ABSOLUTE:g} + {RELATIVE:g} |x|); "
            "the exported file must not be used"
        )
    if not np.array_equal(x.argmax(axis=1), y.argmax(axis=1)):
        raise ParityError(f"{case}: the most probable class differs; the exported file must not be used")
    flipped, decided = decisions(found, expected, working_points)
    if (flipped & decided).any():
        raise ParityError(
            f"{case}: {int((flipped & decided).sum())} decisions differ; the exported file must not be used"
        )


def _compare_probabilities(case: str, found: Scores, expected: Scores, within: float) -> None:
    scored = expected.status == SCORED
    difference = np.abs(found.probability[scored] - expected.probability[scored])
    if not (difference <= within).all():
        raise ParityError(
            f"{case}: probabilities differ by up to {difference.max():.3g} (allowed {within:g}); "
            "the exported file must not be used"
        )


def decisions(
    found: Scores, expected: Scores, working_points: Sequence[float] = ()
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Compare on which side of the working points and of the quantiles of the scores the scored events lie.

    Returns
    -------
    Which decisions differ, ``[n_scored, n_thresholds]``, and which can be compared: an event whose score is a
    threshold, to within the tolerance of the logits, has no decision.
    """
    scored = expected.status == SCORED
    quantiles = np.quantile(expected.score[scored], [0.05, 0.25, 0.5, 0.75, 0.95])
    thresholds = np.concatenate([quantiles, working_points])
    before, after = expected.score[scored, None], found.score[scored, None]
    tolerance = ABSOLUTE + RELATIVE * np.abs(expected.logits[scored]).max(axis=1, keepdims=True)
    return (after > thresholds) != (before > thresholds), np.abs(before - thresholds) > _SCORE_MARGIN * tolerance
