"""Nearest neighbours of hits within their event, exact and the same in every runtime.

Cells sit on grids, so equidistant neighbours are the rule and a tie decided by rounding would differ between
PyTorch and an ONNX runtime. Coordinates are therefore rounded to integers, squared distances are exact, and ties
go to the hit that comes first in the event: neighbours are sorted by the integer ``1024 d^2 + slot``.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad

from na64ml.graphs.padding import Padding
from na64ml.graphs.rows import take_rows

STEPS_PER_PITCH = 8
"""Coordinates are rounded to 1/8 of a detector's pitch, so that squared distances count in 1/64."""

MAX_HITS = 1024
"""Largest number of hits per event for which the key is unique."""

_MAX_COORDINATE = 511.0
_MAX_DISTANCE = 2.0**21 - 1
_NO_NEIGHBOUR = torch.iinfo(torch.int32).max


def grid_coordinates(position: Tensor, pitch: Tensor) -> Tensor:
    """Express positions in whole steps of 1/8 pitch.

    Parameters
    ----------
    position, pitch
        float32 ``[n_hits, n_dimensions]``, in mm.

    Returns
    -------
    float32 ``[n_hits, n_dimensions]`` holding integers of at most 511 in size, so that squared distances are exact.
    """
    steps = torch.round(position / pitch * STEPS_PER_PITCH)
    return torch.where(torch.isnan(steps), 0.0, steps).clamp(-_MAX_COORDINATE, _MAX_COORDINATE)


def hits_per_event(event: Tensor, n_events: int) -> Tensor:
    """Count the hits of each event, int64 ``[n_events]``; ``event`` is ``[n_hits]``, sorted."""
    return torch.zeros(n_events, dtype=torch.int64, device=event.device).scatter_add(0, event, torch.ones_like(event))


def neighbour_table(grid: Tensor, places: Padding, k: int) -> Tensor:
    """Find the ``k`` nearest other hits of the same event for every hit.

    Memory is linear in the number of events: candidates of a hit are the hits of its own event only.

    Parameters
    ----------
    grid
        Integer-valued float32 ``[n_hits, n_dimensions]`` from `grid_coordinates`.
    places
        The events of the hits, with room for ``k`` neighbours and at most `MAX_HITS` places; hits that have no place
        are nobody's neighbours.
    k
        Neighbours per hit.

    Returns
    -------
    int64 ``[n_hits, k]``: rows of neighbours, nearest first, -1 where an event has no more hits.
    """
    column = torch.arange(places.width, device=grid.device)
    slot = torch.where(places.row < grid.shape[0], column, _NO_NEIGHBOUR)
    key = _distance_keys(grid, places) + take_rows(slot.to(torch.int32), places.event)
    # A hit is not its own neighbour; one without a place keeps what is in the last.
    own = places.slot[:, None]
    last = own.clamp(max=places.width - 1)
    key = key.scatter(1, last, torch.where(own == last, _NO_NEIGHBOUR, key.gather(1, last)))
    nearest, choice = torch.topk(key, k, dim=1, largest=False, sorted=True)
    return torch.where(nearest < _NO_NEIGHBOUR, places.start[:, None] + choice, -1)


def _distance_keys(grid: Tensor, places: Padding) -> Tensor:
    """Return 1024 times the squared distances ``[n_hits, width]`` of hits to the places of their event, int32.

    As |a|^2 - 2 ab + |b|^2 in one product of matrices: with integers this small, every term and sum is exact in
    float32, but not in the shorter types of mixed precision, which is therefore switched off here. The distance to a
    place without a hit is 0.
    """
    if torch.is_autocast_enabled(grid.device.type):
        with torch.autocast(grid.device.type, enabled=False):
            return _distance_keys(grid.float(), places)
    square = (grid * grid).sum(dim=1, keepdim=True)
    padded = places.pad(torch.cat([grid, square, torch.ones_like(square)], dim=1))
    n = grid.shape[1]
    form = pad(-2 * torch.eye(n), (0, 2, 0, 2)) + pad(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), (n, 0, n, 0))
    keys = places.pack(torch.matmul(torch.matmul(padded, MAX_HITS * form.to(grid.device)), padded.transpose(1, 2)))
    return keys.clamp(max=MAX_HITS * _MAX_DISTANCE).to(torch.int32)


def edge_index(neighbours: Tensor) -> Tensor:
    """Return the edges of a neighbour table as torch_geometric wants them.

    Returns
    -------
    int64 ``[2, n_edges]``: source (the neighbour) and target (the hit) of each message.
    """
    target = torch.arange(neighbours.shape[0], device=neighbours.device)[:, None].expand_as(neighbours)
    present = neighbours >= 0
    return torch.stack([neighbours[present], target[present]])
