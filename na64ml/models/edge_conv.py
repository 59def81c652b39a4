"""Edge convolution on packed hits with a fixed number of neighbours."""

import torch
from torch import Tensor, nn

from na64ml.graphs.padding import Padding
from na64ml.graphs.rows import take_rows


class EdgeConv(nn.Module):
    r"""Edge convolution with a residual connection and the event's mean as a global node.

    The message from neighbour j to hit i is an MLP of :math:`(h_i, h_j - h_i)` (Wang et al., arXiv:1801.07829, as
    in ParticleNet, arXiv:1902.08570), averaged over the neighbours. The first linear map of the MLP is split into
    one map of :math:`h_i` and one of :math:`h_j`, computed once per hit instead of once per edge: the same
    function at a cost that does not grow with k.

    Parameters
    ----------
    width
        Features of a hit, in and out.
    dropout
        Share of the updated features set to zero in training.
    """

    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.centre = nn.Linear(width, width)
        self.neighbour = nn.Linear(width, width, bias=False)
        self.edge = nn.Linear(width, width)
        self.update = nn.Sequential(
            nn.Linear(3 * width, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, width)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, nodes: Tensor, neighbours: Tensor, places: Padding, weight: Tensor | None = None) -> Tensor:
        """Update nodes.

        Parameters
        ----------
        nodes
            ``[n_hits, width]``.
        neighbours
            int64 ``[n_hits, k]``, -1 for none.
        places
            The events of the hits.
        weight
            ``[n_hits, k]``: weight of each message, 1 if not given.
        """
        inputs = self.norm(nodes)
        present = (neighbours >= 0).to(nodes.dtype)[:, :, None]
        weights = present if weight is None else present * weight[:, :, None]
        of_neighbour = take_rows(self.neighbour(inputs), neighbours.clamp(min=0))
        messages = torch.relu(self.edge(torch.relu(self.centre(inputs)[:, None, :] + of_neighbour)))
        local = (messages * weights).sum(dim=1) / present.sum(dim=1).clamp(min=1)
        whole = take_rows(places.mean(inputs), places.event)
        updated: Tensor = nodes + self.update(torch.cat([inputs, local, whole], dim=1))
        return updated
