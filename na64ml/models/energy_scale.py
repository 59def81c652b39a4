"""Energies without their total, for networks that must not know how much energy is missing."""

import torch
from torch import Tensor, nn

from na64ml.models.inputs import NetworkInputs
from na64ml.models.pooling import group_sum

_TOTAL = 10.0
"""Energy in GeV that a blind detector seems to have in every event."""
_SMALL = 1e-3


class EnergyScale(nn.Module):
    """Scales the energies of each blind detector so that their positive part sums to 10 GeV in every event.

    Every feature and every network then sees the shape of a shower in this detector and nothing of its size. The
    number of hits above the readout threshold still grows with the energy. Without blind detectors nothing changes.

    Parameters
    ----------
    inputs
        Detectors, and which of them are blind.
    """

    is_blind: Tensor

    def __init__(self, inputs: NetworkInputs) -> None:
        super().__init__()
        self.n_detectors = len(inputs.detectors)
        self.any = bool(inputs.energy_blind)
        is_blind = torch.tensor([name in inputs.energy_blind for name in inputs.detector_names])
        self.register_buffer("is_blind", is_blind, persistent=False)

    def forward(self, energy: Tensor, detector: Tensor, event: Tensor, n_events: int) -> Tensor:
        """Return energies ``[1, n_hits]``."""
        if not self.any:
            return energy
        pair = event * self.n_detectors + detector
        total = group_sum(energy.clamp(min=0), pair, n_events * self.n_detectors, dim=1).index_select(1, pair)
        scaled = energy * (_TOTAL / total.clamp(min=_SMALL))
        return torch.where(self.is_blind.index_select(0, detector), scaled, energy)
