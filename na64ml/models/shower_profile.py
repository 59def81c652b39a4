"""What an electromagnetic shower on the track line would leave in each cell of a calorimeter."""

import math

import torch
from torch import Tensor, nn

from na64ml.graphs.rows import columns, take_rows
from na64ml.models.inputs import NetworkInputs
from na64ml.models.layers import LayerFinder

_CALORIMETER = "calorimeter"
_START = 0.1
"""Radius of the profile before training, in pitches: that of electrons in the ECAL of the reference events."""
_CROSS_TALK = 0.003
"""Share of the energy of a layer that strays into every cell (physics.md 5.3 [C])."""
_STOCHASTIC, _GAIN = 0.10, 0.04
"""Resolution of the ECAL at 1 GeV and spread of the gains of its cells (physics.md 5.4 [M-H], [V-code])."""
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

    constants: Tensor
    """Half widths of a cell in mm, noise in GeV and whether it is a calorimeter, ``[n_layers, 4]``."""

    def __init__(self, inputs: NetworkInputs, layers: LayerFinder) -> None:
        super().__init__()
        owners = [inputs.detectors[index] for index in layers.detector.tolist()]
        pitch = torch.tensor([owner.pitch[:2] for owner in owners])
        others = torch.tensor([(owner.noise or _SMALLEST_NOISE, owner.kind == _CALORIMETER) for owner in owners])
        self.register_buffer("constants", torch.cat([pitch / 2, others], dim=1), persistent=False)
        self.log_radius = nn.Parameter(torch.log(_START * pitch.mean(dim=1)))

    def forward(self, place: Tensor, layer: Tensor, energy: Tensor, total: Tensor) -> tuple[Tensor, Tensor]:
        """Compare hits with the profile; both results are 0 outside calorimeters.

        Parameters
        ----------
        place
            Centre of the cell relative to the track line, mm ``[2, n_hits]``.
        layer
            int64 ``[n_hits]``.
        energy, total
            Of the cell and of its layer in the event, GeV ``[1, n_hits]``.

        Returns
        -------
        Expected share of the cell ``[1, n_hits]``, and its energy above the expectation in units of its spread by
        noise, cross-talk, sampling and gain ``[1, n_hits]``.
        """
        of_layer = torch.cat([self.constants, self.log_radius.exp()[:, None]], dim=1)
        half_x, half_y, noise, is_calorimeter, radius = columns(take_rows(of_layer, layer))
        expected = is_calorimeter * cell_share(place, torch.cat([half_x, half_y]), radius)
        mean, stray = expected * total, _CROSS_TALK * total
        variance = noise * noise + stray * stray + _STOCHASTIC**2 * mean + (_GAIN * mean) * (_GAIN * mean)
        return expected, is_calorimeter * (energy - mean) / torch.sqrt(variance)


def cell_share(place: Tensor, half: Tensor, radius: Tensor) -> Tensor:
    """Return the share ``[1, n]`` of a shower at the origin in a cell.

    The solid angle of the rectangle from the origin to (x, y) is atan(x y / (R sqrt(x^2 + y^2 + R^2))). That of a cell
    is a sum of four with signs, taken as differences of half angles by their tangents: first along the axis on which
    the cell is farther away, where the angles are small. So little is lost to rounding, in which runtimes differ.

    Parameters
    ----------
    place, half
        Centre of the cell and half its widths in x and y, mm ``[2, n]``.
    radius
        Of the profile, mm ``[1, n]``.
    """
    u, v = torch.split(place.abs(), 1)
    along_x = u > v
    centre, reach = torch.where(along_x, place, place.flip(0)), torch.where(along_x, half, half.flip(0))
    far, near = torch.split(torch.stack([centre - reach, centre + reach]), 1, dim=1)
    near = near.transpose(0, 1)
    tangent = far * near / (radius * torch.sqrt(far * far + near * near + radius * radius))  # [far, near, n]
    strip = _half_angle(*torch.split(tangent, 1))
    return 2 / math.pi * torch.atan(_half_angle(*torch.split(strip, 1, dim=1)))[0]


def _half_angle(low: Tensor, high: Tensor) -> Tensor:
    """Return tan((b - a) / 2) from tan(a) and tan(b), for angles between -pi/2 and pi/2."""
    return (high - low) / (1 + low * high + torch.sqrt((1 + low * low) * (1 + high * high)))
