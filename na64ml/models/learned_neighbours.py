"""Neighbours in a learned space, without a decision that rounding could change."""

import torch
from torch import Tensor

from na64ml.graphs.padding import Padding

_FAR = 1e6
"""Squared distance of what is not a neighbour."""
_SMALL = 1e-6


def learned_neighbours(coordinates: Tensor, places: Padding, k: int) -> tuple[Tensor, Tensor]:
    r"""Find the ``k`` nearest other hits of the same event, and weights that vanish where the choice is made.

    Coordinates that a network computes differ between runtimes in the last bits, so which of two almost equally far
    hits is the k-th neighbour would depend on the runtime. Here the choice does not matter: with :math:`r^2` the
    squared distance of the (k+1)-th hit, the weight is :math:`e^{-d^2} \max(0, 1 - d^2/r^2)`. It is continuous in the
    coordinates and 0 for a hit that changes places with the (k+1)-th, ties included; gradients reach the coordinates
    through it, as in GravNet.

    Parameters
    ----------
    coordinates
        ``[n_hits, n_dimensions]``.
    places
        The events of the hits, with room for ``k + 1`` neighbours.
    k
        Neighbours per hit.

    Returns
    -------
    Neighbours int64 ``[n_hits, k]``, -1 for none, and weights ``[n_hits, k]``, 0 for none.
    """
    difference = places.candidates(coordinates) - coordinates[:, None, :]
    distance = torch.where(places.is_other, (difference * difference).sum(dim=2), _FAR)
    nearest, choice = torch.topk(distance, k + 1, dim=1, largest=False, sorted=True)
    inside = torch.relu(1 - nearest[:, :k] / (nearest[:, k:] + _SMALL))
    table = torch.where(nearest < _FAR, places.start[:, None] + choice, -1)
    return table[:, :k], torch.exp(-nearest[:, :k]) * inside
