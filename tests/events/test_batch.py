from dataclasses import fields, replace
from typing import Any

import awkward as ak
import numpy as np
import pytest

from na64ml.errors import InputError
from na64ml.events.batch import HIT_FEATURES, EventBatch, concatenate


def assert_same(left: EventBatch, right: EventBatch) -> None:
    for item in fields(EventBatch):
        mine, other = getattr(left, item.name), getattr(right, item.name)
        if item.name == "columns":
            assert mine.keys() == other.keys()
            for name in mine:
                assert mine[name].dtype == other[name].dtype
                np.testing.assert_array_equal(mine[name], other[name])
        else:
            assert getattr(mine, "dtype", None) == getattr(other, "dtype", None), item.name
            np.testing.assert_array_equal(mine, other, err_msg=item.name)


def test_counts(batch: EventBatch) -> None:
    assert (len(batch), batch.n_hits) == (3, 5)
    assert batch.hits_per_event.tolist() == [2, 0, 3]
    assert batch.event.tolist() == [0, 0, 2, 2, 2]


@pytest.mark.parametrize(
    ("which", "events"),
    [
        (slice(1, None), [1, 2]),
        (np.array([True, False, True]), [0, 2]),
        (np.array([2, 0, 2]), [2, 0, 2]),
        (np.array([], dtype=np.int64), []),
    ],
)
def test_select_takes_the_hits_of_the_events_in_the_order_asked_for(
    batch: EventBatch, which: Any, events: list[int]
) -> None:
    chosen = batch.select(which)
    rows = [row for event in events for row in range(batch.offsets[event], batch.offsets[event + 1])]
    assert chosen.hits_per_event.tolist() == [batch.hits_per_event[event] for event in events]
    np.testing.assert_array_equal(chosen.hits, batch.hits[rows])
    np.testing.assert_array_equal(chosen.detector, batch.detector[rows])
    np.testing.assert_array_equal(chosen.channel, batch.channel[rows])
    np.testing.assert_array_equal(chosen.ids, batch.ids[events])
    np.testing.assert_array_equal(chosen.weight, batch.weight[events])
    np.testing.assert_array_equal(chosen.columns["mass"], batch.columns["mass"][events])


def test_concatenate_undoes_select(batch: EventBatch) -> None:
    assert_same(concatenate([batch.select(slice(0, 1)), batch.select(slice(1, 3))]), batch)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"detectors": ("ECAL", "VETO")}, "detectors"),
        ({"processes": ()}, "processes"),
        ({"columns": {}}, "columns"),
    ],
)
def test_events_that_differ_cannot_be_joined(batch: EventBatch, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        concatenate([batch, replace(batch, **change)])


def test_joining_nothing_is_an_error() -> None:
    with pytest.raises(InputError, match="empty"):
        concatenate([])


@pytest.mark.parametrize("which", [slice(None), slice(0, 0), slice(1, 2)])
def test_awkward_round_trip(batch: EventBatch, which: slice) -> None:
    part = batch.select(which)
    assert_same(EventBatch.from_awkward(part.to_awkward(), part.detectors, part.processes), part)


def test_awkward_records_are_events_with_lists_of_hits(batch: EventBatch) -> None:
    events = batch.to_awkward()
    energy = HIT_FEATURES.index("energy")
    assert ak.num(events.hits.energy).tolist() == [2, 0, 3]
    assert events.hits.energy[2].tolist() == batch.hits[2:5, energy].tolist()
    assert events.spillevent.tolist() == [1, 2, 1]
    assert events.pileup.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hits": np.zeros((4, 6), dtype=np.float32)}, r"hits is \(4, 6\), not \(5, 6\)"),
        ({"hits": np.zeros((5, 5), dtype=np.float32)}, r"hits is \(5, 5\)"),
        ({"track": np.zeros((3, 5), dtype=np.float32)}, r"track is \(3, 5\)"),
        ({"weight": np.ones(2)}, r"weight is \(2,\), not \(3,\)"),
        ({"columns": {"mass": np.ones(4)}}, r"columns\[mass\] is \(4,\)"),
        ({"offsets": np.array([], dtype=np.int64)}, "offsets"),
        ({"offsets": np.array([1, 2, 2, 5])}, "start at 0"),
        ({"offsets": np.array([0, 3, 2, 5])}, "not decrease"),
    ],
)
def test_shapes_that_do_not_belong_together(batch: EventBatch, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(batch, **change)


def test_truth_needs_every_event(batch: EventBatch) -> None:
    assert not batch.has_truth
    assert batch.select(slice(0, 2)).has_truth
    assert not batch.select(slice(0, 0)).has_truth


def test_detector_index(batch: EventBatch) -> None:
    assert batch.detector_index("HCAL") == 1
    with pytest.raises(InputError, match="no detector 'VETO'; they have ECAL, HCAL"):
        batch.detector_index("VETO")
