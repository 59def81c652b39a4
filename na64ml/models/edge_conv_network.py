"""The default network: static-graph edge convolutions with a readout per detector."""

import torch
from torch import Tensor, nn

from na64ml.models.edge_conv import EdgeConv
from na64ml.models.features import N_HIT_FEATURES
from na64ml.models.inputs import NetworkInputs
from na64ml.models.network import EventNetwork
from na64ml.models.pooling import group_max, group_mean, group_sum

_POOLS = (group_mean, group_max, group_sum)


class EdgeConvNetwork(EventNetwork):
    """ParticleNet-like classifier of packed events.

    Hits are embedded (their detector layer has an embedding of its own), pass ``n_blocks`` edge convolutions on one
    neighbour table, and are pooled per event and layer by mean, maximum and sum; a small MLP turns the pooled
    values and the event features into logits.

    Parameters
    ----------
    inputs
        Detectors and classes.
    width
        Features of a hit.
    n_blocks
        Edge convolutions.
    k
        Neighbours of a hit.
    pool_width
        Features of a hit that are pooled.
    head_width
        Width of the final MLP.
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
        super().__init__(inputs)
        self.save_hyperparameters(ignore="inputs")
        self.k = k
        n_layers = len(self.features.layers)
        self.embed = nn.Sequential(nn.Linear(N_HIT_FEATURES, width), nn.ReLU(), nn.Linear(width, width))
        self.layer_embedding = nn.Embedding(n_layers, width)
        self.blocks = nn.ModuleList(EdgeConv(width, dropout) for _ in range(n_blocks))
        self.reduce = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, pool_width), nn.ReLU())
        self.head = nn.Sequential(
            nn.Linear(3 * n_layers * pool_width + self.features.n_event_features, head_width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(head_width, head_width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(head_width, len(inputs.classes)),
        )

    def forward(self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> Tensor:
        """Return logits ``[n_events, n_classes]``."""
        n_events, n_layers = track.shape[0], len(self.features.layers)
        hit_features, layer, event_features = self.features(hits, detector, event, track)
        neighbours = self.neighbours(hits, detector, event, track, self.k)
        nodes = self.embed(hit_features) + self.layer_embedding(layer)
        for block in self.blocks:
            nodes = block(nodes, neighbours, event, n_events)
        reduced, pair = self.reduce(nodes), event * n_layers + layer
        pooled = torch.cat([pool(reduced, pair, n_events * n_layers) for pool in _POOLS], dim=1)
        logits: Tensor = self.head(torch.cat([pooled.reshape(n_events, -1), event_features], dim=1))
        return logits
