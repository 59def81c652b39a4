import numpy as np
import pytest
import torch

from na64ml.events.batch import EventBatch
from na64ml.graphs.batch import pack


def test_events_are_packed_in_the_order_asked_for(few_events: EventBatch) -> None:
    index = np.array([7, 2, 2, 90, 0])
    label = np.arange(len(few_events))
    weight = np.arange(len(few_events), dtype=np.float32) / 8
    batch = pack(few_events, index, label, weight)
    assert batch.n_events == 5
    assert batch.index.tolist() == batch.label.tolist() == index.tolist()
    np.testing.assert_array_equal(batch.weight, weight[index])
    np.testing.assert_array_equal(batch.track, few_events.track[index])
    for position, event in enumerate(index):
        own = few_events.select([event])
        mine = (batch.event == position).numpy()
        np.testing.assert_array_equal(batch.hits[mine].numpy(), own.hits)
        np.testing.assert_array_equal(batch.detector[mine].numpy(), own.detector)
    assert (torch.diff(batch.event) >= 0).all()


def test_dtypes_are_those_of_the_contract(few_events: EventBatch) -> None:
    n = len(few_events)
    batch = pack(few_events, np.arange(n), np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.float32))
    assert {name: getattr(batch, name).dtype for name in ("hits", "detector", "event", "track", "label", "weight")} == {
        "hits": torch.float32,
        "detector": torch.int64,
        "event": torch.int64,
        "track": torch.float32,
        "label": torch.int64,
        "weight": torch.float32,
    }


@pytest.mark.parametrize("counts", [[0, 3, 0, 0, 2, 0], [0, 0], []])
def test_empty_events_survive(few_events: EventBatch, counts: list[int]) -> None:
    from na64ml.export.parity import first_hits

    n = len(counts)
    events = first_hits(few_events.select(slice(0, n)), np.array(counts, dtype=np.int64))
    batch = pack(events, np.arange(n), np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.float32))
    assert batch.n_events == n
    assert torch.bincount(batch.event, minlength=n).tolist() == counts
    assert batch.hits.shape == (sum(counts), 6)


def test_the_batch_does_not_share_memory_with_the_events(few_events: EventBatch) -> None:
    before = few_events.hits.copy()
    n = len(few_events)
    batch = pack(few_events, np.arange(n), np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.float32))
    batch.hits.zero_()
    np.testing.assert_array_equal(few_events.hits, before)


def test_moving_to_a_device_keeps_everything(few_events: EventBatch) -> None:
    n = len(few_events)
    batch = pack(few_events, np.arange(n), np.arange(n), np.ones(n, dtype=np.float32))
    moved = batch.to("meta")
    assert moved.hits.device.type == moved.index.device.type == "meta"
    assert moved.hits.shape == batch.hits.shape
