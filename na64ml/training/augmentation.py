"""Random changes of training events that leave their class unchanged, because simulation is not data."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from na64ml.events.batch import HIT_FEATURES, TRACK_FEATURES
from na64ml.graphs.batch import PackedBatch
from na64ml.models.inputs import NetworkInputs
from na64ml.ranges import require
from na64ml.training.lateral_scale import LateralScale
from na64ml.training.overlay import PileUp
from na64ml.training.readout import Readout

_X, _Y, _ENERGY = (HIT_FEATURES.index(name) for name in ("x", "y", "energy"))
_TRACK_X = [TRACK_FEATURES.index(name) for name in ("x", "theta_x")]
_TRACK_Y = [TRACK_FEATURES.index(name) for name in ("y", "theta_y")]


class Augmentation(nn.Module):
    """Second beam particles, wider showers, dead channels, mirrored events, changed gains, noise and lost tracker hits.

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
    dead_channels
        Share of the calorimeter channels whose hits are lost, others in every event.
    lateral_scale
        Wider showers, see `~na64ml.training.lateral_scale.LateralScale`; none by default.
    pile_up
        Second beam particles, see `~na64ml.training.overlay.PileUp`; none by default.

    Raises
    ------
    ConfigError
        If a share is not between 0 and 1, or a spread is negative.
    """

    def __init__(
        self,
        mirror: bool = True,
        gain_spread: float = 0.04,
        noise: float = 1.0,
        tracker_loss: float = 0.05,
        dead_channels: float = 0.0,
        lateral_scale: tuple[float, float] | None = None,
        pile_up: PileUp | None = None,
    ) -> None:
        super().__init__()
        require("model.augmentation.gain_spread", gain_spread)
        require("model.augmentation.noise", noise)
        require("model.augmentation.tracker_loss", tracker_loss, high=1)
        require("model.augmentation.dead_channels", dead_channels, high=1)
        self.mirror = mirror
        self.gain_spread = gain_spread
        self.noise = noise
        self.tracker_loss = tracker_loss
        self.dead_channels = dead_channels
        self.lateral_scale = None if lateral_scale is None else LateralScale(lateral_scale)
        self.pile_up = pile_up

    def forward(self, batch: PackedBatch, inputs: NetworkInputs, readout: Readout) -> PackedBatch:
        """Return a changed copy of the batch; ``inputs`` and ``readout`` say what its classes and detectors are."""
        if self.pile_up is not None:
            batch = self.pile_up(batch, inputs, readout)
        if self.lateral_scale is not None:
            batch = self.lateral_scale(batch, readout)
        hits, track = batch.hits.clone(), batch.track.clone()
        if self.mirror:
            for hit_column, track_columns in ((_X, _TRACK_X), (_Y, _TRACK_Y)):
                sign = _signs(batch.n_events, track)
                hits[:, hit_column] *= sign[batch.event]
                track[:, track_columns] *= sign[:, None]
        hits[:, _ENERGY] *= 1 + self.gain_spread * torch.randn_like(hits[:, _ENERGY])
        noise = readout.noise[batch.detector]
        hits[:, _ENERGY] += self.noise * noise * torch.randn_like(noise)
        return _keep(replace(batch, hits=hits, track=track), self._seen(hits, batch.detector, readout))

    def _seen(self, hits: Tensor, detector: Tensor, readout: Readout) -> Tensor:
        """Return which hits the readout still sees, bool ``[n_hits]``."""
        lost = self.tracker_loss * readout.is_tracker + self.dead_channels * readout.is_calorimeter
        seen = torch.rand(len(detector)) >= lost[detector]
        if self.noise == 0 and self.lateral_scale is None:
            return seen
        return seen & (readout.is_tracker[detector] | (hits[:, _ENERGY] >= readout.threshold[detector]))


def _keep(batch: PackedBatch, seen: Tensor) -> PackedBatch:
    return replace(
        batch,
        hits=batch.hits[seen],
        detector=batch.detector[seen],
        event=batch.event[seen],
        channel=batch.channel[seen],
    )


def _signs(n_events: int, like: Tensor) -> Tensor:
    return torch.randint(0, 2, (n_events,), device=like.device).to(like.dtype) * 2 - 1
