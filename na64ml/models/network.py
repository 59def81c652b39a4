"""What every event classifier has in common."""

from abc import abstractmethod
from collections.abc import Iterable

import torch
from lightning.pytorch.core.mixins.hparams_mixin import HyperparametersMixin
from torch import Tensor, nn

from na64ml.graphs.batch import PackedBatch
from na64ml.graphs.knn import grid_coordinates, hits_per_event, neighbour_table
from na64ml.graphs.rows import take_rows
from na64ml.models.features import EventFeatures, finite
from na64ml.models.inputs import NetworkInputs
from na64ml.setups.channels import AXIS_X, AXIS_Y


class EventNetwork(HyperparametersMixin, nn.Module):
    """Base of the networks: raw packed events in, one logit per class out.

    A subclass takes the inputs description first and its own sizes as keywords, calls
    ``self.save_hyperparameters(ignore="inputs")`` and defines `forward`.
    """

    pitch: Tensor
    depth_offset: Tensor

    def __init__(self, inputs: NetworkInputs) -> None:
        super().__init__()
        self.inputs = inputs
        self.features = EventFeatures(inputs)
        detectors = inputs.detectors
        self.register_buffer("pitch", torch.tensor([d.pitch for d in detectors], dtype=torch.float32))
        self.register_buffer("depth_offset", torch.tensor([d.depth_offset for d in detectors], dtype=torch.float32))

    @abstractmethod
    def forward(self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> Tensor:
        """Return logits ``[n_events, n_classes]``; inputs as in `na64ml.graphs.batch.PackedBatch`."""

    def neighbours(self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor, k: int) -> Tensor:
        """Return the neighbour table int64 ``[n_hits, k]`` of the events.

        Positions are relative to the impact point, in units of each detector's pitch; detectors are three
        pitches apart along the beam.
        """
        pitch = take_rows(self.pitch, detector)
        impact = take_rows(finite(track)[:, 3:5], event)
        position = finite(hits)[:, :3]
        measured = torch.stack([hits[:, 5] != AXIS_Y, hits[:, 5] != AXIS_X], dim=1)
        across = torch.where(measured, position[:, :2] - impact, 0.0)
        along = position[:, 2:] + (self.depth_offset.index_select(0, detector) * pitch[:, 2])[:, None]
        grid = grid_coordinates(torch.cat([across, along], dim=1), pitch)
        return neighbour_table(grid, event, hits_per_event(event, track.shape[0]), k, self.inputs.hit_cap)

    def fit_normalisation(self, batches: Iterable[PackedBatch]) -> None:
        """Fit the input normalisation on training events."""
        self.features.fit(batches)
