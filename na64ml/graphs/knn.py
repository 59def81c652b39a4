"""Nearest neighbours of hits within their event, exact and the same in every runtime.

Cells sit on grids, so equidistant neighbours are the rule and a tie decided by rounding would differ between
PyTorch and an ONNX runtime. Coordinates are therefore rounded to integers, squared distances are exact, and ties
go to the hit that comes first in the event: neighbours are sorted by the integer ``1024 d^2 + slot``.
"""

import torch
from torch import Tensor

from na64ml.graphs.padding import Padding, padding

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


def neighbour_table(grid: Tensor, event: Tensor, count: Tensor, k: int, cap: int) -> Tensor:
    """Find the ``k`` nearest other hits of the same event for every hit.

    Memory is linear in the number of events: candidates of a hit are the hits of its own event only.

    Parameters
    ----------
    grid
        Integer-valued float32 ``[n_hits, n_dimensions]`` from `grid_coordinates`.
    event
        int64 ``[n_hits]``, sorted.
    count
        int64 ``[n_events]``, hits of each event.
    k
        Neighbours per hit.
    cap
        Hits after the first ``cap`` of an event are nobody's neighbours; at most `MAX_HITS`.

    Returns
    -------
    int64 ``[n_hits, k]``: rows of neighbours, nearest first, -1 where an event has no more hits.
    """
    places = padding(event, count, k + 1, cap)
    distance = _squared_distances(grid, places).clamp(max=_MAX_DISTANCE).to(torch.int32)
    key = distance * MAX_HITS + torch.arange(places.width, dtype=torch.int32, device=event.device)
    nearest, choice = torch.topk(torch.where(places.is_other, key, _NO_NEIGHBOUR), k, dim=1, largest=False, sorted=True)
    return torch.where(nearest < _NO_NEIGHBOUR, places.start[:, None] + choice, -1)


def _squared_distances(grid: Tensor, places: Padding) -> Tensor:
    """Return the squared distances ``[n_hits, n_candidates]`` of hits to the hits of their event.

    As |a|^2 - 2 ab + |b|^2 in one product of matrices: with integers this small, every term and sum is exact in
    float32, but not in the shorter types of mixed precision, which is therefore switched off here.
    """
    if torch.is_autocast_enabled(grid.device.type):
        with torch.autocast(grid.device.type, enabled=False):
            return _squared_distances(grid.float(), places)
    square = (grid * grid).sum(dim=1, keepdim=True)
    one = torch.ones_like(square)
    left = places.pad(torch.cat([-2 * grid, square, one], dim=1))
    right = places.pad(torch.cat([grid, one, square], dim=1))
    return places.pack(torch.matmul(left, right.transpose(1, 2)))


def edge_index(neighbours: Tensor) -> Tensor:
    """Return the edges of a neighbour table as torch_geometric wants them.

    Returns
    -------
    int64 ``[2, n_edges]``: source (the neighbour) and target (the hit) of each message.
    """
    target = torch.arange(neighbours.shape[0], device=neighbours.device)[:, None].expand_as(neighbours)
    present = neighbours >= 0
    return torch.stack([neighbours[present], target[present]])
