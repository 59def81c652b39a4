"""Random changes of training events that leave their class unchanged, because simulation is not data."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from na64ml.events.batch import HIT_FEATURES, TRACK_FEATURES
from na64ml.graphs.batch import PackedBatch

_X, _Y, _ENERGY = (HIT_FEATURES.index(name) for name in ("x", "y", "energy"))
_TRACK_X = [TRACK_FEATURES.index(name) for name in ("x", "theta_x")]
_TRACK_Y = [TRACK_FEATURES.index(name) for name in ("y", "theta_y")]


class Augmentation(nn.Module):
    """Mirror events about the beam axis and change the gains of cells.

    Parameters
    ----------
    mirror
        Whether to flip x and y of half of the events each. The beam axis goes through the centre of a cell, so
        the cells stay on their grid.
    gain_spread
        Relative spread of a factor on the energy of each hit; the simulation of NA64 smears each cell by 4 %
        ([V-code], physics.md 1.3).
    """

    def __init__(self, mirror: bool = True, gain_spread: float = 0.04) -> None:
        super().__init__()
        self.mirror = mirror
        self.gain_spread = gain_spread

    def forward(self, batch: PackedBatch) -> PackedBatch:
        """Return a changed copy of the batch."""
        hits, track = batch.hits.clone(), batch.track.clone()
        if self.mirror:
            for hit_column, track_columns in ((_X, _TRACK_X), (_Y, _TRACK_Y)):
                sign = _signs(batch.n_events, track)
                hits[:, hit_column] *= sign[batch.event]
                track[:, track_columns] *= sign[:, None]
        if self.gain_spread > 0:
            hits[:, _ENERGY] *= 1 + self.gain_spread * torch.randn_like(hits[:, _ENERGY])
        return replace(batch, hits=hits, track=track)


def _signs(n_events: int, like: Tensor) -> Tensor:
    return torch.randint(0, 2, (n_events,), device=like.device).to(like.dtype) * 2 - 1
