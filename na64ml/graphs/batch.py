"""Batches of events as packed tensors."""

from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from na64ml.events.batch import EventBatch


@dataclass(frozen=True, eq=False)
class PackedBatch:
    """Hits of several events one after another; no padding.

    Parameters
    ----------
    hits
        float32 ``[n_hits, 6]``: x, y, z, energy, time, measured axis.
    detector
        int64 ``[n_hits]``: detector id.
    event
        int64 ``[n_hits]``, sorted: event of each hit.
    channel
        int64 ``[n_hits]``: channel of each hit in its detector; networks do not see it, augmentation does.
    track
        float32 ``[n_events, 6]``; fixes the number of events, so that events without hits survive.
    label
        int64 ``[n_events]``: class, -1 where unknown.
    weight
        float32 ``[n_events]``.
    index
        int64 ``[n_events]``: position of each event in its dataset.
    """

    hits: Tensor
    detector: Tensor
    event: Tensor
    channel: Tensor
    track: Tensor
    label: Tensor
    weight: Tensor
    index: Tensor

    @property
    def n_events(self) -> int:
        """Number of events."""
        return self.track.shape[0]

    def to(self, device: torch.device | str) -> "PackedBatch":
        """Return the batch on another device."""
        return PackedBatch(**{item.name: getattr(self, item.name).to(device) for item in fields(self)})


def pack(
    batch: EventBatch,
    index: NDArray[np.int64],
    label: NDArray[np.int64],
    weight: NDArray[np.float32],
) -> PackedBatch:
    """Gather events into one packed batch, in the order of ``index``, without a loop over events.

    Parameters
    ----------
    index
        int64 ``[n]``: events to take.
    label, weight
        ``[len(batch)]``: class and training weight of every event of ``batch``.
    """
    counts = batch.offsets[index + 1] - batch.offsets[index]
    ends = np.cumsum(counts)
    n_hits = int(ends[-1]) if len(ends) else 0
    rows = np.arange(n_hits) + np.repeat(batch.offsets[index] - (ends - counts), counts)
    return PackedBatch(
        hits=torch.from_numpy(batch.hits.take(rows, axis=0)),
        detector=torch.from_numpy(batch.detector.take(rows).astype(np.int64)),
        event=torch.from_numpy(np.repeat(np.arange(len(index)), counts)),
        channel=torch.from_numpy(batch.channel.take(rows).astype(np.int64)),
        track=torch.from_numpy(batch.track[index]),
        label=torch.from_numpy(label[index]),
        weight=torch.from_numpy(weight[index]),
        index=torch.from_numpy(index),
    )
