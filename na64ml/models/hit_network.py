"""Networks of hits: embed, mix the hits of an event, read out per detector layer."""

from abc import abstractmethod

import torch
from torch import Tensor, nn

from na64ml.models.features import N_HIT_FEATURES
from na64ml.models.inputs import NetworkInputs
from na64ml.models.network import EventNetwork
from na64ml.models.pooling import group_statistics


class HitNetwork(EventNetwork):
    """Frame of the networks that differ only in how hits exchange information.

    Hits are embedded (their detector layer has an embedding of its own), mixed by `mix`, and pooled per event and
    layer by mean, maximum and sum; a small MLP turns the pooled values and the event features into logits.

    Parameters
    ----------
    inputs
        Detectors and classes.
    width
        Features of a hit.
    pool_width
        Features of a hit that are pooled.
    head_width
        Width of the final MLP.
    dropout
        In the final MLP.
    """

    def __init__(self, inputs: NetworkInputs, width: int, pool_width: int, head_width: int, dropout: float) -> None:
        super().__init__(inputs)
        n_layers = len(self.features.layers)
        self.embed = nn.Sequential(nn.Linear(N_HIT_FEATURES, width), nn.ReLU(), nn.Linear(width, width))
        self.layer_embedding = nn.Embedding(n_layers, width)
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

    @abstractmethod
    def mix(self, nodes: Tensor, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> Tensor:
        """Return updated nodes ``[n_hits, width]``; the other arguments are those of `forward`."""

    def forward(self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> Tensor:
        """Return logits ``[n_events, n_classes]``."""
        n_events, n_layers = track.shape[0], len(self.features.layers)
        hit_features, layer, event_features = self.features(hits, detector, event, track)
        nodes = self.embed(hit_features) + self.layer_embedding(layer)
        reduced = self.reduce(self.mix(nodes, hits, detector, event, track))
        pooled = group_statistics(reduced, event * n_layers + layer, n_events * n_layers)
        logits: Tensor = self.head(torch.cat([pooled.reshape(n_events, -1), event_features], dim=1))
        return logits
