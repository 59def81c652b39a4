"""What an electromagnetic shower on the track line would leave in each cell of a calorimeter."""

import math

import torch
from torch import Tensor, nn

from na64ml.graphs.rows import take_rows
from na64ml.models.inputs import NetworkInputs
from na64ml.models.layers import LayerFinder

_CALORIMETER = "calorimeter"
_START = 0.1
"""Radius of the profile before training, in pitches: that of electrons in the ECAL of the reference events."""
_CROSS_TALK = 0.003
"""Share of the energy of a layer that strays into every cell (physics.md 5.3 [C])."""
_SMALLEST_NOISE = 1e-3
"""In GeV, where a setup gives no noise."""


class ShowerProfile(nn.Module):
    """Expected share of a cell in the energy of its layer, and by how much the cell differs from it.

    A decay in flight shifts the shower by millimetres from the track line. Cells are larger than that, but their shares
    of the energy change with the distance of their borders from the line, which is another in every event. The profile
    turns the distance into an expectation, so that a network need not learn the shape of showers first.

    The surface density is R / (2 pi (r^2 + R^2)^(3/2)) around the line, whose integral over a cell is the solid angle
    of the cell seen from the height R above the line, divided by 2 pi. There is one radius R per layer; it is trained
    with the network.

    Parameters
    ----------
    inputs
        Detectors.
    layers
        Their layers.
    """

    half_pitch: Tensor
    noise: Tensor
    is_calorimeter: Tensor

    def __init__(self, inputs: NetworkInputs, layers: LayerFinder) -> None:
        super().__init__()
        owners = [inputs.detectors[index] for index in layers.detector.tolist()]
        pitch = torch.tensor([owner.pitch[:2] for owner in owners])
        noise = torch.tensor([owner.noise or _SMALLEST_NOISE for owner in owners])
        is_calorimeter = torch.tensor([float(owner.kind == _CALORIMETER) for owner in owners])
        self.register_buffer("half_pitch", pitch / 2, persistent=False)
        self.register_buffer("noise", noise, persistent=False)
        self.register_buffer("is_calorimeter", is_calorimeter, persistent=False)
        self.log_radius = nn.Parameter(torch.log(_START * pitch.mean(dim=1)))

    def forward(self, u: Tensor, v: Tensor, layer: Tensor, energy: Tensor, total: Tensor) -> tuple[Tensor, Tensor]:
        """Compare hits with the profile; both results are 0 outside calorimeters.

        Parameters
        ----------
        u, v
            Centre of the cell relative to the track line, mm ``[n_hits]``.
        layer
            int64 ``[n_hits]``.
        energy, total
            Of the cell and of its layer in the event, GeV ``[n_hits]``.

        Returns
        -------
        Expected share of the cell ``[n_hits]``, and its energy above the expectation in units of its spread by noise
        and cross-talk ``[n_hits]``.
        """
        constants = torch.cat([self.half_pitch, self.noise[:, None], self.is_calorimeter[:, None]], dim=1)
        half_x, half_y, noise, is_calorimeter = take_rows(constants, layer).unbind(1)
        radius = take_rows(self.log_radius.exp()[:, None], layer)[:, 0]
        expected = is_calorimeter * cell_share(u, v, half_x, half_y, radius)
        spread = torch.sqrt(noise * noise + (_CROSS_TALK * total) * (_CROSS_TALK * total))
        return expected, is_calorimeter * (energy - expected * total) / spread


def cell_share(u: Tensor, v: Tensor, half_x: Tensor, half_y: Tensor, radius: Tensor) -> Tensor:
    """Return the share of a shower at the origin in a cell with centre ``(u, v)`` and half widths, all in mm."""
    angles = _strip_angle(u, v + half_y, half_x, radius) - _strip_angle(u, v - half_y, half_x, radius)
    return angles / (2 * math.pi)


def _strip_angle(u: Tensor, y: Tensor, half_x: Tensor, radius: Tensor) -> Tensor:
    """Return the solid angle of the rectangle from ``u - half_x`` to ``u + half_x`` and from 0 to ``y``.

    That of a rectangle from 0 to x is atan(x y / (R sqrt(x^2 + y^2 + R^2))). The difference of both arctangents is
    taken as one, of half the angle, which has no branches and loses no digits far away.
    """
    low, high = _tangent(u - half_x, y, radius), _tangent(u + half_x, y, radius)
    lengths = torch.sqrt((1 + low * low) * (1 + high * high))
    return 2 * torch.atan((high - low) / (1 + low * high + lengths))


def _tangent(x: Tensor, y: Tensor, radius: Tensor) -> Tensor:
    return x * y / (radius * torch.sqrt(x * x + y * y + radius * radius))
