"""Which detector layer a hit belongs to."""

import torch
from torch import Tensor, nn

from na64ml.models.inputs import NetworkInputs

_FAR = 1e9
"""Distance in mm to the layers of other detectors and other measured axes."""


class LayerFinder(nn.Module):
    """Assigns hits to the layers of their detector: depth segments, or tracker planes and projections.

    A hit belongs to the layer nearest along the beam among those of its detector that measure its axis, so that a
    setup with shifted planes keeps its layers.
    """

    z: Tensor
    axis: Tensor
    detector: Tensor

    def __init__(self, inputs: NetworkInputs) -> None:
        super().__init__()
        layers = [(index, layer) for index, item in enumerate(inputs.detectors) for layer in item.layers]
        self.register_buffer("z", torch.tensor([layer.z for _, layer in layers]))
        self.register_buffer("axis", torch.tensor([float(layer.axis) for _, layer in layers]))
        self.register_buffer("detector", torch.tensor([index for index, _ in layers]))

    def __len__(self) -> int:
        return len(self.z)

    def forward(self, z: Tensor, axis: Tensor, detector: Tensor) -> Tensor:
        """Return the layer int64 ``[n_hits]``; ``z`` in mm, ``axis`` and ``detector`` are ``[n_hits]``."""
        foreign = (detector[:, None] != self.detector).to(z.dtype) * 2 + (axis[:, None] != self.axis).to(z.dtype)
        return torch.argmin((z[:, None] - self.z).abs() + _FAR * foreign, dim=1)
