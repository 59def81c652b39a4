"""Edge convolutions without a matrix per edge: the fast network."""

import torch
from torch import Tensor, nn

from na64ml.graphs.padding import Padding
from na64ml.graphs.rows import take_rows
from na64ml.models.hit_network import HitNetwork
from na64ml.models.inputs import NetworkInputs

_SILENT = -1e4
"""Stands for a missing neighbour: added to anything, the rectifier makes it 0."""


class FastEdgeConv(nn.Module):
    r"""Edge convolution whose matrices act on hits only.

    The message from neighbour j to hit i is :math:`\mathrm{relu}(W_i h_i + W_j h_j)`, which includes every function
    :math:`\mathrm{relu}(A h_i + B (h_j - h_i))` of an edge convolution (Wang et al., arXiv:1801.07829) with one
    layer. Both products are computed once per hit and gathered; the second layer of an edge MLP is linear up to its
    rectifier, so it is left to the update after averaging. What remains per edge is one sum and one rectifier.

    Parameters
    ----------
    width
        Features of a hit, in and out.
    dropout
        Share of the updated features set to zero in training.
    """

    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.centre = nn.Linear(width, width)
        self.neighbour = nn.Linear(width, width, bias=False)
        self.update = nn.Sequential(
            nn.Linear(3 * width, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, width)
        )

    def forward(self, nodes: Tensor, neighbours: Tensor, degree: Tensor, places: Padding) -> Tensor:
        """Update nodes.

        Parameters
        ----------
        nodes
            ``[n_hits, width]``.
        neighbours
            int64 ``[n_hits, k]``, ``n_hits`` for none.
        degree
            ``[n_hits, 1]``: number of neighbours, at least 1.
        places
            The events of the hits.
        """
        inputs = self.norm(nodes)
        of_hit = self.neighbour(inputs)
        of_neighbour = torch.cat([of_hit, of_hit.new_full((1, of_hit.shape[1]), _SILENT)])
        centre = self.centre(inputs)
        # No table of edges: in the ONNX runtime this is faster.
        local = sum(torch.relu(centre + take_rows(of_neighbour, column)) for column in neighbours.unbind(1))
        whole = take_rows(places.mean(inputs), places.event)
        updated: Tensor = nodes + self.update(torch.cat([inputs, local / degree, whole], dim=1))
        return updated


class FastEdgeConvNetwork(HitNetwork):
    """Factorised edge convolutions on one neighbour table.

    Parameters
    ----------
    inputs, width, pool_width, head_width
        As in `na64ml.models.hit_network.HitNetwork`.
    n_blocks
        Edge convolutions.
    k
        Neighbours of a hit.
    dropout
        In the blocks and in the final MLP.
    """

    def __init__(
        self,
        inputs: NetworkInputs,
        width: int = 32,
        n_blocks: int = 2,
        k: int = 8,
        pool_width: int = 8,
        head_width: int = 64,
        dropout: float = 0.3,
    ) -> None:
        super().__init__(inputs, width, pool_width, head_width, dropout)
        self.save_hyperparameters(ignore="inputs")
        self.k = k
        self.blocks = nn.ModuleList(FastEdgeConv(width, dropout) for _ in range(n_blocks))

    def mix(self, nodes: Tensor, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> Tensor:
        """Pass messages between neighbours."""
        graph = self.neighbour_graph(hits, detector, event, track, self.k)
        for block in self.blocks:
            nodes = block(nodes, *graph)
        return nodes
