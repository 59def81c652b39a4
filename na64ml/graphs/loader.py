"""Random-order batches of packed events."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset, Sampler

from na64ml.events.batch import EventBatch
from na64ml.graphs.batch import PackedBatch, pack

Index = NDArray[np.int64]


class PackedEvents(Dataset[PackedBatch]):
    """A sample of events whose item is a whole batch: index it with an array of events.

    Parameters
    ----------
    events
        All events, usually memory-mapped.
    members
        int64 ``[n]``: the events of ``events`` that belong to the sample.
    label
        int64 ``[len(events)]``: class of each event.
    weight
        float32 ``[len(events)]``: training weight of each event.
    """

    def __init__(
        self, events: EventBatch, members: Index, label: NDArray[np.int64], weight: NDArray[np.float32]
    ) -> None:
        self.events = events
        self.members = members
        self.label = label
        self.weight = weight

    def __len__(self) -> int:
        return len(self.members)

    def __getitem__(self, which: Index) -> PackedBatch:
        return pack(self.events, self.members[which], self.label, self.weight)


@dataclass(frozen=True)
class Share:
    """The part of every batch that one of several training processes takes."""

    rank: int = 0
    n_ranks: int = 1


_ALL = Share()


class BatchSampler(Sampler[Index]):
    """Batches of positions, in order or shuffled anew in every epoch from ``seed`` and the epoch number.

    With several processes ``batch_size`` is that of all of them together; each takes its ``share`` of every batch. It
    is empty where a last batch has fewer events than there are processes.
    """

    def __init__(
        self, n_events: int, batch_size: int, shuffle: bool = False, seed: int = 0, share: Share = _ALL
    ) -> None:
        self._n_events = n_events
        self._batch_size = batch_size
        self._shuffle = shuffle
        self._seed = seed
        self._share = share
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order; called by the Lightning trainer, so that a resumed run goes on as it would have."""
        self._epoch = epoch

    def __len__(self) -> int:
        return -(-self._n_events // self._batch_size)

    def __iter__(self) -> Iterator[Index]:
        order = np.arange(self._n_events, dtype=np.int64)
        if self._shuffle:
            np.random.default_rng([self._seed, self._epoch]).shuffle(order)
        for start in range(0, self._n_events, self._batch_size):
            yield order[start : start + self._batch_size][self._share.rank :: self._share.n_ranks]


def packed_loader(
    events: PackedEvents, batch_size: int, shuffle: bool = False, seed: int = 0, share: Share = _ALL
) -> DataLoader[PackedBatch]:
    """Return a PyTorch loader of packed batches."""
    return DataLoader(events, sampler=BatchSampler(len(events), batch_size, shuffle, seed, share), batch_size=None)


def batches(events: PackedEvents, batch_size: int) -> Iterator[PackedBatch]:
    """Yield the events in order."""
    for which in BatchSampler(len(events), batch_size):
        yield events[which]
