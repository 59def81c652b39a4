import numpy as np
import pytest
import torch

from na64ml.events.batch import EventBatch
from na64ml.graphs.loader import BatchSampler, PackedEvents, Share, batches, packed_loader


def order(sampler: BatchSampler, epoch: int) -> list[int]:
    sampler.set_epoch(epoch)
    return np.concatenate(list(sampler)).tolist()


@pytest.mark.parametrize(("n_events", "batch_size"), [(10, 3), (9, 3), (1, 64), (0, 4)])
def test_every_event_comes_once_per_epoch(n_events: int, batch_size: int) -> None:
    for shuffle in (False, True):
        sampler = BatchSampler(n_events, batch_size, shuffle)
        taken = list(sampler)
        assert len(taken) == len(sampler)
        assert all(0 < len(part) <= batch_size for part in taken)
        assert sorted(np.concatenate([*taken, np.array([], dtype=np.int64)]).tolist()) == list(range(n_events))


def test_the_order_follows_from_seed_and_epoch() -> None:
    first, again, other = (BatchSampler(100, 7, shuffle=True, seed=seed) for seed in (5, 5, 6))
    assert order(first, 3) == order(again, 3)  # a resumed run goes on as it would have
    assert order(first, 3) != order(first, 4)
    assert order(first, 3) != order(other, 3)
    assert order(BatchSampler(100, 7), 3) == list(range(100))


@pytest.mark.parametrize("n_ranks", [1, 2, 3])
def test_processes_share_every_batch(n_ranks: int) -> None:
    alone = BatchSampler(50, 8, shuffle=True, seed=5)
    parts = [BatchSampler(50, 8, shuffle=True, seed=5, share=Share(rank, n_ranks)) for rank in range(n_ranks)]
    for sampler in (alone, *parts):
        sampler.set_epoch(2)
    for whole, *shares in zip(alone, *parts, strict=True):  # the last batch has two events
        assert sorted(np.concatenate(shares).tolist()) == sorted(whole.tolist())
        sizes = [len(share) for share in shares]
        assert max(sizes) - min(sizes) <= 1


def sample(events: EventBatch) -> PackedEvents:
    members = np.arange(1, len(events), 2)
    return PackedEvents(events, members, np.arange(len(events)) % 7, np.linspace(0, 2, len(events), dtype=np.float32))


def test_the_loader_serves_the_members_only(few_events: EventBatch) -> None:
    loader = packed_loader(sample(few_events), 8, shuffle=True, seed=1)
    assert len(loader) == 7
    indices = torch.cat([batch.index for batch in loader])
    assert sorted(indices.tolist()) == list(range(1, len(few_events), 2))
    assert indices.tolist() != sorted(indices.tolist())
    for batch in loader:
        assert batch.label.tolist() == (batch.index % 7).tolist()


def test_batches_in_order_equal_the_loader(few_events: EventBatch) -> None:
    ours = list(batches(sample(few_events), 8))
    loaded = list(packed_loader(sample(few_events), 8))
    assert [part.index.tolist() for part in ours] == [part.index.tolist() for part in loaded]
