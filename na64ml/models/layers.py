"""Which detector layer a hit belongs to."""

import torch
from torch import Tensor, nn

from na64ml.graphs.rows import take_rows
from na64ml.models.inputs import NetworkInputs
from na64ml.setups.channels import AXIS_Y

_N_AXES = AXIS_Y + 1
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
    distance: Tensor
    """Added to the distance of what a detector measures along an axis from a layer, ``[n_detectors * 3, n_layers]``."""

    def __init__(self, inputs: NetworkInputs) -> None:
        super().__init__()
        layers = [(index, layer) for index, item in enumerate(inputs.detectors) for layer in item.layers]
        self.register_buffer("z", torch.tensor([layer.z for _, layer in layers]))
        self.register_buffer("axis", torch.tensor([float(layer.axis) for _, layer in layers]))
        self.register_buffer("detector", torch.tensor([index for index, _ in layers]))
        detector, axis = torch.arange(len(inputs.detectors))[:, None, None], torch.arange(_N_AXES)[:, None]
        foreign = 2 * (detector != self.detector) + (axis != self.axis)
        self.register_buffer("distance", _FAR * foreign.flatten(0, 1), persistent=False)

    def __len__(self) -> int:
        return len(self.z)

    def forward(self, z: Tensor, axis: Tensor, detector: Tensor) -> Tensor:
        """Return the layer int64 ``[n_hits]``; ``z`` in mm, ``axis`` and ``detector`` are ``[n_hits]``."""
        measures = detector * _N_AXES + axis.to(torch.int64).clamp(0, _N_AXES - 1)
        return torch.argmin((z[:, None] - self.z).abs() + take_rows(self.distance, measures), dim=1)
