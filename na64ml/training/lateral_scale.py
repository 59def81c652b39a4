"""Wider showers: energy of cells that is given to their neighbours."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import nn

from na64ml.errors import ConfigError
from na64ml.events.batch import HIT_FEATURES
from na64ml.graphs.batch import PackedBatch
from na64ml.training.overlay import added, merged
from na64ml.training.readout import CORNER, SIDE, Readout

_ENERGY, _TIME = HIT_FEATURES.index("energy"), HIT_FEATURES.index("time")

_MOVED = 0.14
"""Share of a cell's energy that leaves it for each unit of the radial scale above 1. The profile of physics.md 5.3,
centred in a cell of 38.2 mm, leaves 0.888, 0.863, 0.837, 0.813 and 0.789 in it at scales 1, 1.2, 1.4, 1.6 and 1.8, at
50 GeV [C]; between 20 and 100 GeV these change by less than 0.005."""

_TO_SIDES = 0.7
"""Share of it that goes to the four cells beside; the rest goes to the four at the corners [C, as above]."""


class LateralScale(nn.Module):
    """Widens the showers of the active target by a random factor for each event.

    An approximation: every cell gives the share of its energy that a shower centred in it would lose when it gets wider
    to the eight cells around it in its own depth segment, whatever is in them. The energy of each segment stays what
    it is; at the edge of the calorimeter nothing leaves it. Where a shower hits the border of two cells, or beyond
    the ring of eight, a real one would be wider in another way; channels that are dead in the run get energy like
    the others.

    Parameters
    ----------
    factor
        Smallest and largest radial scale, from 1. The dimuons of data need 1.6 (physics.md 5.3 [C vs V-data]).

    Raises
    ------
    ConfigError
        If the range is empty or begins below 1.
    """

    def __init__(self, factor: Sequence[float] = (1.0, 1.8)) -> None:
        super().__init__()
        self.low, self.high = factor
        if not 1 <= self.low <= self.high:
            raise ConfigError(
                f"model.augmentation.lateral_scale: the range {list(factor)} must rise and begin at 1 or above"
            )

    def forward(self, batch: PackedBatch, readout: Readout) -> PackedBatch:
        """Return the batch with wider showers.

        Raises
        ------
        ConfigError
            If the active target is not read cell by cell.
        """
        if readout.target < 0:
            raise ConfigError(
                "model.augmentation.lateral_scale: the layout does not read the active target cell by cell; "
                "leave this key out"
            )
        scale = self.low + (self.high - self.low) * torch.rand(batch.n_events)
        inside = torch.nonzero(batch.detector == readout.target)[:, 0]
        hits = batch.hits.clone()
        moved = hits[inside, _ENERGY].clamp(min=0) * _MOVED * (scale[batch.event[inside]] - 1)
        hits[inside, _ENERGY] -= moved
        shares = moved.new_zeros((2, 1))
        shares[SIDE], shares[CORNER] = _TO_SIDES / 4, (1 - _TO_SIDES) / 4
        channel = readout.neighbours[batch.channel[inside]]
        new = readout.blank[readout.first[readout.target] + channel]
        new[..., _ENERGY] = moved[:, None, None] * shares
        new[..., _TIME] = hits[inside, _TIME, None, None]
        copies = channel.shape[1] * channel.shape[2]
        return merged(
            added(
                replace(batch, hits=hits),
                new.flatten(0, 2),
                batch.detector[inside].repeat_interleave(copies),
                batch.event[inside].repeat_interleave(copies),
                channel.flatten(),
            ),
            readout,
        )
