from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from na64ml.events.batch import HIT_FEATURES, TRACK_FEATURES, EventBatch
from na64ml.export.parity import first_hits
from na64ml.graphs.batch import PackedBatch
from na64ml.inference.status import BAD_INPUT, NO_CALORIMETER_HITS, SCORED, TRUNCATED
from na64ml.models.inputs import NetworkInputs
from na64ml.models.outputs import Discriminant, Status

Pack = Callable[[EventBatch], PackedBatch]


def test_the_score_is_the_log_ratio_with_weighted_backgrounds(inputs: NetworkInputs) -> None:
    fractions = dict(zip(inputs.classes[1:], (0.4, 0.3, 0.1, 0.1, 0.06, 0.04), strict=True))
    logits = np.random.default_rng(0).normal(0, 3, (50, 7))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = np.log(p[:, 0] / (p[:, 1:] * list(fractions.values())).sum(axis=1))
    described = inputs.model_copy(update={"background_fractions": fractions})
    probability, score = Discriminant(described)(torch.from_numpy(logits))
    np.testing.assert_allclose(probability.numpy(), p, rtol=1e-6)
    np.testing.assert_allclose(score.numpy(), expected, rtol=1e-5, atol=1e-6)


def test_the_score_stays_finite_where_probabilities_underflow(inputs: NetworkInputs) -> None:
    logits = torch.tensor([[300.0, *[0.0] * 6], [-300.0, *[0.0] * 6]])
    score = Discriminant(inputs)(logits)[1]
    # Six equal backgrounds of fraction 1/6 each: p(background) averages to exp(0).
    torch.testing.assert_close(score, torch.tensor([300.0, -300.0]), rtol=1e-5, atol=1e-4)


@pytest.fixture
def events(few_events: EventBatch) -> EventBatch:
    return few_events.select(slice(0, 4))


def status(inputs: NetworkInputs, packed: Pack, events: EventBatch) -> list[int]:
    batch = packed(events)
    found: list[int] = Status(inputs)(batch.hits, batch.detector, batch.event, batch.track).tolist()
    return found


def set_hit(events: EventBatch, event: int, detector: str, column: str, value: float) -> EventBatch:
    """Change one hit of a detector in one event."""
    hits = events.hits.copy()
    own = (events.event == event) & (events.detector == events.detector_index(detector))
    hits[np.flatnonzero(own)[0], HIT_FEATURES.index(column)] = value
    return replace(events, hits=hits)


def set_track(events: EventBatch, event: int, column: str, value: float) -> EventBatch:
    track = events.track.copy()
    track[event, TRACK_FEATURES.index(column)] = value
    return replace(events, track=track)


def drop(events: EventBatch, keep: np.ndarray) -> EventBatch:
    counts = np.bincount(events.event[keep], minlength=len(events))
    return replace(
        events,
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        hits=events.hits[keep],
        detector=events.detector[keep],
        channel=events.channel[keep],
    )


def test_ordinary_events_are_scored(inputs: NetworkInputs, packed: Pack, reference_events: EventBatch) -> None:
    assert np.isnan(reference_events.hits[:, 4]).any()  # missing times are normal
    assert set(status(inputs, packed, reference_events)) == {SCORED}


def test_no_calorimeter_hits(inputs: NetworkInputs, packed: Pack, events: EventBatch) -> None:
    calorimeters = [i for i, d in enumerate(inputs.detectors) if d.kind == "calorimeter"]
    assert len(calorimeters) == 3
    keep = ~((events.event == 1) & np.isin(events.detector, calorimeters))
    assert status(inputs, packed, drop(events, keep)) == [SCORED, NO_CALORIMETER_HITS, SCORED, SCORED]
    assert status(inputs, packed, first_hits(events, np.zeros(4, dtype=np.int64))) == [NO_CALORIMETER_HITS] * 4


def test_more_hits_than_the_cap(inputs: NetworkInputs, packed: Pack, events: EventBatch) -> None:
    counts = events.hits_per_event
    cap = int(np.sort(counts)[1])
    capped = inputs.model_copy(update={"hit_cap": cap})
    assert status(capped, packed, events) == np.where(counts > cap, TRUNCATED, SCORED).tolist()


@pytest.mark.parametrize("column", ["x", "y", "z", "energy", "axis"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_missing_hit_values_are_bad_input(
    inputs: NetworkInputs, packed: Pack, events: EventBatch, column: str, value: float
) -> None:
    changed = set_hit(events, 2, "ECAL", column, value)
    assert status(inputs, packed, changed) == [SCORED, SCORED, BAD_INPUT, SCORED]


def test_a_missing_time_is_normal_and_an_infinite_one_is_not(
    inputs: NetworkInputs, packed: Pack, events: EventBatch
) -> None:
    assert status(inputs, packed, set_hit(events, 2, "ECAL", "time", np.nan)) == [SCORED] * 4
    assert status(inputs, packed, set_hit(events, 2, "ECAL", "time", np.inf))[2] == BAD_INPUT


@pytest.mark.parametrize(("detector", "noise"), [("ECAL", 0.020), ("HCAL", 0.040), ("VHCAL", 0.020)])
def test_energies_far_below_the_noise_are_bad_input(
    inputs: NetworkInputs, packed: Pack, reference_events: EventBatch, detector: str, noise: float
) -> None:
    """The noise of 20, 40 and 20 MeV is that of the reference data."""
    number = reference_events.detector_index(detector)
    having = np.unique(reference_events.event[reference_events.detector == number])[:1]
    event = reference_events.select(having)
    assert status(inputs, packed, set_hit(event, 0, detector, "energy", -4.9 * noise)) == [SCORED]
    assert status(inputs, packed, set_hit(event, 0, detector, "energy", -5.1 * noise)) == [BAD_INPUT]


def test_the_track_may_lack_anything_but_the_impact_point(
    inputs: NetworkInputs, packed: Pack, events: EventBatch
) -> None:
    for column in ("p", "theta_x", "theta_y", "chi2"):
        assert status(inputs, packed, set_track(events, 0, column, np.nan)) == [SCORED] * 4
        assert status(inputs, packed, set_track(events, 0, column, np.inf)) == [BAD_INPUT, SCORED, SCORED, SCORED]
    for column in ("x", "y"):
        assert status(inputs, packed, set_track(events, 0, column, np.nan)) == [BAD_INPUT, SCORED, SCORED, SCORED]


def test_bad_input_outranks_truncation_and_truncation_an_empty_calorimeter(
    inputs: NetworkInputs, packed: Pack, events: EventBatch
) -> None:
    trackers_only = drop(events, np.isin(events.detector, [events.detector_index(name) for name in ("MM", "ST")]))
    small = inputs.model_copy(update={"hit_cap": 1})
    assert trackers_only.hits_per_event.min() > 1
    assert status(inputs, packed, trackers_only) == [NO_CALORIMETER_HITS] * 4
    assert status(small, packed, trackers_only) == [TRUNCATED] * 4
    assert status(small, packed, set_track(trackers_only, 0, "x", np.inf)) == [BAD_INPUT, *[TRUNCATED] * 3]
