"""Several hits of one channel, as its readout sees them: a second beam particle, or energy from a neighbour."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from na64ml.errors import ConfigError
from na64ml.events.batch import HIT_FEATURES
from na64ml.graphs.batch import PackedBatch
from na64ml.graphs.knn import hits_per_event
from na64ml.models.inputs import NetworkInputs
from na64ml.ranges import require
from na64ml.training.readout import Readout

_ENERGY, _TIME = HIT_FEATURES.index("energy"), HIT_FEATURES.index("time")
_TINY = 1e-9
_SHORTEST_GATE = 1.0
"""In ns; nothing is read out within less."""


def added(batch: PackedBatch, hits: Tensor, detector: Tensor, event: Tensor, channel: Tensor) -> PackedBatch:
    """Return the batch with further hits; the events need not be sorted."""
    return replace(
        batch,
        hits=torch.cat([batch.hits, hits]),
        detector=torch.cat([batch.detector, detector]),
        event=torch.cat([batch.event, event]),
        channel=torch.cat([batch.channel, channel]),
    )


def merged(batch: PackedBatch, readout: Readout) -> PackedBatch:
    """Join the hits of a channel of an event: energies are added, times averaged with the energy as weight.

    Hits of trackers stay apart. Hits come out in the order of their channels.
    """
    key, order = torch.sort(
        batch.event * readout.n_channels + readout.first[batch.detector] + batch.channel, stable=True
    )
    hits, detector = batch.hits[order], batch.detector[order]
    is_first = torch.ones_like(key, dtype=torch.bool)
    is_first[1:] = (key[1:] != key[:-1]) | readout.is_tracker[detector[1:]]
    hit = torch.cumsum(is_first, 0) - 1
    energy, time = hits[:, _ENERGY], hits[:, _TIME]
    has_time = torch.isfinite(time)
    weight = energy.clamp(min=_TINY) * has_time
    sums = hits.new_zeros((int(is_first.sum()), 3))
    sums.index_add_(0, hit, torch.stack([energy, weight, weight * torch.where(has_time, time, 0)], dim=1))
    joined = hits[is_first]
    joined[:, _ENERGY], joined[:, _TIME] = sums[:, 0], sums[:, 2] / sums[:, 1]
    first = order[is_first]
    return replace(
        batch, hits=joined, detector=detector[is_first], event=batch.event[first], channel=batch.channel[first]
    )


class PileUp(nn.Module):
    """Puts a second beam particle into some events: the hits of another event of the batch, shifted in time.

    As in the simulation, it comes at a uniform time and the share of its energy that is inside the gate falls linearly
    with the distance; tracker hits are seen with that probability. The class, the weight and the measured track stay
    those of the event. The electronic noise of the second event comes on top.

    Parameters
    ----------
    probability
        Share of events with a second particle. At 1.35 MHz it is 0.027 within 10 ns and 0.10 within 40 ns of the
        first (physics.md 1.2 [C]).
    window
        Largest time offset in ns.
    gate
        Time in ns after which nothing is inside the gate; 50 in the reference events [card].
    of_class
        Class of the events that are taken as second particles. A batch without one stays what it is.

    Raises
    ------
    ConfigError
        If the probability is not between 0 and 1, or a time is too short.
    """

    def __init__(
        self, probability: float = 0.1, window: float = 40.0, gate: float = 50.0, of_class: str = "beam_electron"
    ) -> None:
        super().__init__()
        require("model.augmentation.pile_up.probability", probability, high=1)
        require("model.augmentation.pile_up.window", window)
        require("model.augmentation.pile_up.gate", gate, low=_SHORTEST_GATE)
        self.probability = probability
        self.window = window
        self.gate = gate
        self.of_class = of_class

    def forward(self, batch: PackedBatch, inputs: NetworkInputs, readout: Readout) -> PackedBatch:
        """Return the batch with second particles.

        Raises
        ------
        ConfigError
            If there is no such class.
        """
        if self.of_class not in inputs.classes:
            raise ConfigError(
                f"model.augmentation.pile_up.of_class: no class '{self.of_class}'; the mode has "
                f"{', '.join(inputs.classes)}"
            )
        beam = torch.nonzero(batch.label == inputs.classes.index(self.of_class))[:, 0]
        if len(beam) == 0:
            return batch
        event = torch.nonzero(torch.rand(batch.n_events) < self.probability)[:, 0]
        second = beam[torch.randint(len(beam), event.shape)]
        other = second != event
        event, second = event[other], second[other]
        late = (2 * torch.rand(event.shape) - 1) * self.window
        count = hits_per_event(batch.event, batch.n_events)
        number = count[second]
        which = torch.repeat_interleave(torch.arange(len(event)), number)
        start = (torch.cumsum(count, 0) - count)[second] - (torch.cumsum(number, 0) - number)
        row = torch.arange(len(which)) + start[which]
        share = (1 - late.abs() / self.gate).clamp(min=0)[which]
        detector = batch.detector[row]
        seen = torch.where(readout.is_tracker[detector], torch.rand(share.shape), 0.0) < share
        hits = batch.hits[row]
        hits[:, _ENERGY] *= share
        hits[:, _TIME] += late[which]
        both = added(batch, hits[seen], detector[seen], event[which][seen], batch.channel[row][seen])
        return merged(both, readout)
