"""GravNet: messages weighted by the distance in a small learned space."""

import torch
from torch import Tensor, nn

from na64ml.graphs.padding import Padding
from na64ml.graphs.rows import take_rows
from na64ml.models.hit_network import HitNetwork
from na64ml.models.inputs import NetworkInputs
from na64ml.models.learned_neighbours import learned_neighbours


class GravNetBlock(nn.Module):
    """GravNet layer (Qasim et al., arXiv:1902.07987) with a residual connection and the event's mean.

    Each hit gets learned coordinates and learned features; the features of the nearest hits, weighted by the distance,
    are collected as mean and maximum. The weight has a cut-off at the (k+1)-th hit beside the exponential of the
    paper, see `na64ml.models.learned_neighbours`.

    Parameters
    ----------
    width
        Features of a hit, in and out.
    n_coordinates
        Dimensions of the learned space.
    n_propagate
        Features that hits send.
    k
        Neighbours of a hit.
    dropout
        Share of the updated features set to zero in training.
    """

    def __init__(self, width: int, n_coordinates: int, n_propagate: int, k: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.k = k
        self.norm = nn.LayerNorm(width)
        self.coordinates = nn.Linear(width, n_coordinates)
        self.send = nn.Sequential(nn.Linear(width, n_propagate), nn.ReLU())
        self.update = nn.Sequential(
            nn.Linear(2 * width + 2 * n_propagate, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, width)
        )

    def forward(self, nodes: Tensor, places: Padding) -> Tensor:
        """Update ``nodes`` ``[n_hits, width]`` of the events ``places``."""
        inputs = self.norm(nodes)
        neighbours, weight = learned_neighbours(self.coordinates(inputs), places, self.k)
        received = take_rows(self.send(inputs), neighbours.clamp(min=0)) * weight[:, :, None]
        whole = take_rows(places.mean(inputs), places.event)
        updated: Tensor = nodes + self.update(torch.cat([inputs, received.mean(dim=1), received.amax(dim=1), whole], 1))
        return updated


class GravNetNetwork(HitNetwork):
    """Stack of GravNet layers; needs no geometry beyond the input features.

    Parameters
    ----------
    inputs, width, pool_width, head_width
        As in `na64ml.models.hit_network.HitNetwork`.
    n_blocks
        GravNet layers.
    k
        Neighbours of a hit.
    n_coordinates, n_propagate
        Dimensions of the learned space; features that hits send.
    dropout
        In the blocks and in the final MLP.
    """

    def __init__(
        self,
        inputs: NetworkInputs,
        width: int = 32,
        n_blocks: int = 2,
        k: int = 8,
        n_coordinates: int = 4,
        n_propagate: int = 16,
        pool_width: int = 8,
        head_width: int = 64,
        dropout: float = 0.3,
    ) -> None:
        super().__init__(inputs, width, pool_width, head_width, dropout)
        self.save_hyperparameters(ignore="inputs")
        self.k = k
        self.blocks = nn.ModuleList(
            GravNetBlock(width, n_coordinates, n_propagate, k, dropout) for _ in range(n_blocks)
        )

    def mix(self, nodes: Tensor, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> Tensor:
        """Exchange features in learned spaces."""
        places = self.places(event, track, self.k + 1)
        for block in self.blocks:
            nodes = block(nodes, places)
        return nodes
