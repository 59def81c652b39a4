"""What every event classifier has in common."""

from abc import abstractmethod
from collections.abc import Iterable

import torch
from lightning.pytorch.core.mixins.hparams_mixin import HyperparametersMixin
from torch import Tensor, nn

from na64ml.graphs.batch import PackedBatch
from na64ml.graphs.knn import grid_coordinates, hits_per_event, neighbour_table
from na64ml.graphs.padding import Padding, padding
from na64ml.graphs.rows import take_rows
from na64ml.models.features import EventFeatures, finite
from na64ml.models.inputs import NetworkInputs


class EventNetwork(HyperparametersMixin, nn.Module):
    """Base of the networks: raw packed events in, one logit per class out.

    A subclass takes the inputs description first and its own sizes as keywords, calls
    ``self.save_hyperparameters(ignore="inputs")`` and defines `forward`.

    The buffer ``temperature`` divides the logits before they become probabilities; it is 1 unless the network was
    calibrated.
    """

    temperature: Tensor
    pitch: Tensor
    depth_offset: Tensor

    def __init__(self, inputs: NetworkInputs) -> None:
        super().__init__()
        self.inputs = inputs
        self.features = EventFeatures(inputs)
        self.register_buffer("temperature", torch.ones(()))
        detectors = inputs.detectors
        self.register_buffer("pitch", torch.tensor([d.pitch for d in detectors], dtype=torch.float32))
        self.register_buffer("depth_offset", torch.tensor([d.depth_offset for d in detectors], dtype=torch.float32))

    @abstractmethod
    def forward(self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> Tensor:
        """Return logits ``[n_events, n_classes]``; inputs as in `na64ml.graphs.batch.PackedBatch`."""

    def places(self, event: Tensor, track: Tensor, k: int = 0) -> Padding:
        """Return where the hits are in a padded table that has room for ``k`` neighbours of a hit."""
        return padding(event, hits_per_event(event, track.shape[0]), k + 1, self.inputs.hit_cap)

    def neighbours(self, hits: Tensor, detector: Tensor, track: Tensor, places: Padding, k: int) -> Tensor:
        """Return the neighbour table int64 ``[n_hits, k]`` of the hits in their `places`.

        Positions are relative to the impact point, in units of each detector's pitch; detectors are three
        pitches apart along the beam.
        """
        return neighbour_table(self.grid(hits, detector, places.event, track), places, k)

    def neighbour_graph(
        self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor, k: int
    ) -> tuple[Tensor, Tensor, Padding]:
        """Return the graph as `na64ml.models.fast_edge_conv_network.FastEdgeConv` wants it.

        Returns
        -------
        Neighbours int64 ``[n_hits, k]`` with ``n_hits`` for none, their number ``[n_hits, 1]``, at least 1, and the
        places of the hits.
        """
        places = self.places(event, track, k)
        table = self.neighbours(hits, detector, track, places, k)
        present = table >= 0
        degree = present.to(torch.float32).sum(dim=1, keepdim=True).clamp(min=1)
        return torch.where(present, table, table.shape[0]), degree, places

    def grid(self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> Tensor:
        """Return the coordinates ``[n_hits, 3]`` in which neighbours are sought, whole numbers of 1/8 pitch."""
        behind = self.depth_offset * self.pitch[:, 2]
        origin = torch.cat([take_rows(finite(track)[:, 3:5], event), take_rows(-behind[:, None], detector)], dim=1)
        position = torch.where(hits[:, 5:] != self.features.other_axis.t(), finite(hits)[:, :3] - origin, 0.0)
        return grid_coordinates(position, take_rows(self.pitch, detector))

    def fit_normalisation(self, batches: Iterable[PackedBatch]) -> None:
        """Fit the input normalisation on training events."""
        self.features.fit(batches)
