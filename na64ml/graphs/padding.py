"""Packed events as a padded table, one row of equal width per event."""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from na64ml.graphs.rows import take_rows


@dataclass(frozen=True)
class Padding:
    """Where the hits of packed events are in a table ``[n_events, width]``.

    Parameters
    ----------
    start
        int64 ``[n_hits]``: first row of the event of each hit.
    slot
        int64 ``[n_hits]``: place of each hit in its event.
    size
        int64 ``[n_hits]``: number of hits of the event of each hit.
    event
        int64 ``[n_hits]``: event of each hit.
    row
        int64 ``[n_events, width]``: packed row of each place, ``n_hits`` where there is none.
    count
        int64 ``[n_events]``: number of hits of each event.
    """

    start: Tensor
    slot: Tensor
    size: Tensor
    event: Tensor
    row: Tensor
    count: Tensor

    @property
    def width(self) -> int:
        """Places per event."""
        return self.row.shape[1]

    def pad(self, values: Tensor) -> Tensor:
        """Return packed values ``[n_hits, n]`` as ``[n_events, width, n]``, 0 where there is no hit."""
        return take_rows(torch.cat([values, values.new_zeros((1, values.shape[1]))]), self.row)

    def pack(self, values: Tensor) -> Tensor:
        """Return padded values ``[n_events, width, n]`` as ``[n_hits, n]``."""
        cell = self.event * self.width + self.slot.clamp(max=self.width - 1)
        return take_rows(values.reshape(-1, values.shape[2]), cell)

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of the values ``[n_hits, n]`` of each event, ``[n_events, n]``; 0 without hits.

        Sums of padded rows are faster in the ONNX runtime than scattered ones.
        """
        return self.pad(values).sum(dim=1) / self.count.clamp(min=1)[:, None].to(values.dtype)

    def candidates(self, values: Tensor) -> Tensor:
        """Return the values ``[n_hits, n]`` of all hits of each hit's event, ``[n_hits, width, n]``.

        The events are copied as whole rows, several times faster in the ONNX runtime than hit by hit.
        """
        n = values.shape[1]
        return take_rows(self.pad(values).reshape(-1, self.width * n), self.event).reshape(-1, self.width, n)

    @property
    def is_other(self) -> Tensor:
        """Which candidates of a hit are other hits of its event, bool ``[n_hits, width]``."""
        column = torch.arange(self.width, device=self.slot.device)
        return (column < self.size[:, None]) & (column != self.slot[:, None])


def padding(event: Tensor, count: Tensor, least: int, cap: int) -> Padding:
    """Lay out events in a padded table as wide as the largest event needs.

    Parameters
    ----------
    event
        int64 ``[n_hits]``, sorted.
    count
        int64 ``[n_events]``, hits of each event.
    least, cap
        Smallest and largest width; hits after the first ``cap`` of an event have no place.
    """
    n_hits = event.shape[0]
    first = torch.cumsum(count, 0) - count
    start = first.index_select(0, event)
    # A cast, not int(): the width stays symbolic when the network is exported.
    width = cast(int, count.clamp(min=least, max=max(cap, least)).max().item())
    column = torch.arange(width, device=event.device)
    return Padding(
        start=start,
        slot=torch.arange(n_hits, device=event.device) - start,
        size=count.index_select(0, event),
        event=event,
        row=torch.where(column < count[:, None], first[:, None] + column, n_hits),
        count=count,
    )
