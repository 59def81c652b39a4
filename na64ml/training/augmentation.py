"""Random changes of training events that leave their class unchanged, because simulation is not data."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from na64ml.events.batch import HIT_FEATURES, TRACK_FEATURES
from na64ml.graphs.batch import PackedBatch
from na64ml.models.inputs import NetworkInputs

_X, _Y, _ENERGY = (HIT_FEATURES.index(name) for name in ("x", "y", "energy"))
_TRACK_X = [TRACK_FEATURES.index(name) for name in ("x", "theta_x")]
_TRACK_Y = [TRACK_FEATURES.index(name) for name in ("y", "theta_y")]


class Augmentation(nn.Module):
    """Mirror events about the beam axis, change the gains of cells, add readout noise and lose tracker hits.

    Parameters
    ----------
    mirror
        Whether to flip x and y of half of the events each, about the beam axis. It goes through the centre of an ECAL
        cell, whose grid is kept; cells of detectors centred elsewhere (HCAL, VETO) move by up to twice their offset,
        a small part of their size.
    gain_spread
        Relative spread of a factor on the energy of each hit; the simulation of NA64 smears each cell by 4 %
        ([V-code], physics.md 1.3).
    noise
        Gaussian noise added to each energy, in units of the detector's noise; hits that fall below the readout
        threshold are lost.
    tracker_loss
        Share of tracker hits that are lost; the planes are taken to be 95 % efficient ([M-M], physics.md 1.11).
    """

    def __init__(
        self, mirror: bool = True, gain_spread: float = 0.04, noise: float = 1.0, tracker_loss: float = 0.05
    ) -> None:
        super().__init__()
        self.mirror = mirror
        self.gain_spread = gain_spread
        self.noise = noise
        self.tracker_loss = tracker_loss

    def forward(self, batch: PackedBatch, inputs: NetworkInputs) -> PackedBatch:
        """Return a changed copy of the batch; ``inputs`` says what its detectors are."""
        hits, track = batch.hits.clone(), batch.track.clone()
        if self.mirror:
            for hit_column, track_columns in ((_X, _TRACK_X), (_Y, _TRACK_Y)):
                sign = _signs(batch.n_events, track)
                hits[:, hit_column] *= sign[batch.event]
                track[:, track_columns] *= sign[:, None]
        hits[:, _ENERGY] *= 1 + self.gain_spread * torch.randn_like(hits[:, _ENERGY])
        noise = hits.new_tensor([item.noise or 0.0 for item in inputs.detectors])[batch.detector]
        hits[:, _ENERGY] += self.noise * noise * torch.randn_like(noise)
        changed = replace(batch, hits=hits, track=track)
        return _keep(changed, self._seen(changed, inputs))

    def _seen(self, batch: PackedBatch, inputs: NetworkInputs) -> Tensor:
        """Return which hits the readout still sees, bool ``[n_hits]``."""
        threshold = batch.hits.new_tensor([item.threshold or 0.0 for item in inputs.detectors])[batch.detector]
        is_tracker = torch.tensor([item.kind == "tracker" for item in inputs.detectors])[batch.detector]
        found = torch.rand(len(batch.event)) >= self.tracker_loss
        above = (batch.hits[:, _ENERGY] >= threshold) | torch.tensor(self.noise == 0)
        return torch.where(is_tracker, found, above)


def _keep(batch: PackedBatch, seen: Tensor) -> PackedBatch:
    return replace(batch, hits=batch.hits[seen], detector=batch.detector[seen], event=batch.event[seen])


def _signs(n_events: int, like: Tensor) -> Tensor:
    return torch.randint(0, 2, (n_events,), device=like.device).to(like.dtype) * 2 - 1
