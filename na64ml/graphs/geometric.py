"""The same events as torch_geometric objects."""

from typing import TYPE_CHECKING

import torch
from torch_geometric.data import Data

from na64ml.graphs.batch import PackedBatch
from na64ml.graphs.loader import PackedEvents

if TYPE_CHECKING:  # torch_geometric has no type information; its data set is one of PyTorch's
    from torch.utils.data import Dataset

    GeometricDataset = Dataset[Data]
else:
    from torch_geometric.data import Dataset as GeometricDataset


class GeometricEvents(GeometricDataset):
    """torch_geometric view of a sample: one `Data` object per event.

    Attributes of an item: ``x`` ``[n_hits, 6]``, ``detector`` and ``channel`` ``[n_hits]``, ``track`` ``[1, 6]``,
    ``y`` ``[1]``, ``weight`` ``[1]`` and ``entry`` ``[1]``, the ``index`` of a `PackedBatch` (torch_geometric
    adds node counts to attributes that have "index" in their name). torch_geometric's loader joins items to a `Batch`
    whose ``batch`` is the ``event`` of a `PackedBatch`. Our own loader is faster; this view is for torch_geometric's
    transforms, samplers and models.
    """

    def __init__(self, events: PackedEvents) -> None:
        super().__init__()
        self._packed = events

    def len(self) -> int:
        """Return the number of events."""
        return len(self._packed)

    def get(self, idx: int) -> Data:
        """Return one event."""
        batch = self._packed[torch.tensor([idx]).numpy()]
        return Data(
            x=batch.hits,
            detector=batch.detector,
            channel=batch.channel,
            track=batch.track,
            y=batch.label,
            weight=batch.weight,
            entry=batch.index,
            num_nodes=len(batch.hits),
        )


def packed_from_geometric(batch: Data) -> PackedBatch:
    """Return a torch_geometric `Batch` of `GeometricEvents` items as a packed batch."""
    return PackedBatch(
        hits=batch.x,
        detector=batch.detector,
        event=batch.batch,
        channel=batch.channel,
        track=batch.track,
        label=batch.y,
        weight=batch.weight,
        index=batch.entry,
    )
