"""The fast network without knowledge of showers, to measure what the shower profile is worth."""

from typing import Any

import torch
from torch import Tensor, nn

from na64ml.models.fast_edge_conv_network import FastEdgeConvNetwork
from na64ml.models.inputs import NetworkInputs


class WithoutProfile(FastEdgeConvNetwork):
    """Fast network whose features of the shower profile are 0.

    Parameters
    ----------
    inputs, sizes
        As in `na64ml.models.fast_edge_conv_network.FastEdgeConvNetwork`.
    """

    def __init__(self, inputs: NetworkInputs, **sizes: Any) -> None:
        super().__init__(inputs, **sizes)
        self.features.profile = _NoProfile()


class _NoProfile(nn.Module):
    def forward(self, place: Tensor, layer: Tensor, energy: Tensor, total: Tensor) -> tuple[Tensor, Tensor]:
        """Return that nothing is expected, and no deviation from it."""
        return torch.zeros_like(energy), torch.zeros_like(energy)
