"""One encoder per kind of detector, joined in one graph with a global node."""

import torch
from torch import Tensor, nn

from na64ml.errors import ConfigError
from na64ml.graphs.rows import take_rows
from na64ml.models.fast_edge_conv_network import FastEdgeConv
from na64ml.models.features import N_HIT_FEATURES
from na64ml.models.inputs import NetworkInputs
from na64ml.models.network import EventNetwork
from na64ml.models.pooling import group_statistics

_POSITION = (0, 1, 2, 3, 4)
_ENERGY = (5, 6, 7)
_TIME = (8, 9)
_PROFILE = (10, 11)
FEATURES_OF_KIND = {
    "calorimeter": _POSITION + _ENERGY + _TIME + _PROFILE,
    "counter": _ENERGY + _TIME,
    "srd": _ENERGY + _TIME,
    "tracker": _POSITION + _TIME,
}
"""Columns of the hit features (`na64ml.models.features.EventFeatures`) that have a meaning for a kind of detector."""


class DetectorNetwork(EventNetwork):
    """Encoders per kind of detector, edge convolutions over all hits, and a global node that knows the whole event.

    A calorimeter cell, a counter, an SRD channel and a tracker hit are different things: each kind has an MLP of its
    own on the features that it measures (a tracker no energy, a counter no position). All hits then form one graph;
    after every edge convolution the mean, maximum and sum of each detector update the global node, which starts from
    the event features and tells all hits what it knows.

    Parameters
    ----------
    inputs
        Detectors and classes.
    width
        Features of a hit.
    n_blocks
        Rounds of edge convolution and update of the global node.
    k
        Neighbours of a hit.
    global_width
        Features of the global node.
    pool_width
        Features of a hit that the global node reads.
    head_width
        Width of the final MLP.
    dropout
        In the blocks and in the final MLP.

    Raises
    ------
    ConfigError
        If a detector is of a kind without an encoder.
    """

    detector_kind: Tensor

    def __init__(
        self,
        inputs: NetworkInputs,
        width: int = 32,
        n_blocks: int = 2,
        k: int = 8,
        global_width: int = 64,
        pool_width: int = 8,
        head_width: int = 64,
        dropout: float = 0.3,
    ) -> None:
        super().__init__(inputs)
        self.save_hyperparameters(ignore="inputs")
        unknown = [d.name for d in inputs.detectors if d.kind not in FEATURES_OF_KIND]
        if unknown:
            raise ConfigError(
                f"model.network: DetectorNetwork has no encoder for the kind of {', '.join(unknown)} (it knows "
                f"{', '.join(FEATURES_OF_KIND)}); use another network"
            )
        self.k = k
        kinds = sorted({d.kind for d in inputs.detectors})
        number = torch.tensor([kinds.index(d.kind) for d in inputs.detectors])
        self.register_buffer("detector_kind", number, persistent=False)
        self.encoders = nn.ModuleDict({kind: DetectorEncoder(FEATURES_OF_KIND[kind], width) for kind in kinds})
        self.layer_embedding = nn.Embedding(len(self.features.layers), width)
        self.begin = nn.Sequential(nn.Linear(self.features.n_event_features, global_width), nn.ReLU())
        self.tell = nn.ModuleList(nn.Linear(global_width, width) for _ in range(n_blocks))
        self.blocks = nn.ModuleList(FastEdgeConv(width, dropout) for _ in range(n_blocks))
        self.reduce = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, pool_width), nn.ReLU()) for _ in range(n_blocks)
        )
        read = global_width + 3 * len(inputs.detectors) * pool_width
        self.learn = nn.ModuleList(
            nn.Sequential(nn.Linear(read, global_width), nn.ReLU(), nn.Dropout(dropout)) for _ in range(n_blocks)
        )
        self.head = nn.Sequential(
            nn.LayerNorm(global_width),
            nn.Linear(global_width, head_width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(head_width, len(inputs.classes)),
        )

    def forward(self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> Tensor:
        """Return logits ``[n_events, n_classes]``."""
        n_events, n_detectors = track.shape[0], len(self.inputs.detectors)
        hit_features, layer, event_features = self.features(hits, detector, event, track)
        kind = self.detector_kind.index_select(0, detector)
        nodes = self.layer_embedding(layer)
        for number, encoder in enumerate(self.encoders.values()):
            nodes = nodes + encoder(hit_features) * (kind == number).to(nodes.dtype)[:, None]
        graph = self.neighbour_graph(hits, detector, event, track, self.k)
        whole, pair = self.begin(event_features), event * n_detectors + detector
        for tell, block, reduce, learn in zip(self.tell, self.blocks, self.reduce, self.learn, strict=True):
            nodes = block(nodes + take_rows(tell(whole), event), *graph)
            found = group_statistics(reduce(nodes), pair, n_events * n_detectors).reshape(n_events, -1)
            whole = whole + learn(torch.cat([whole, found], dim=1))
        logits: Tensor = self.head(whole)
        return logits


class DetectorEncoder(nn.Module):
    """MLP of the hits of one kind of detector.

    Parameters
    ----------
    columns
        Columns of the hit features that it sees.
    width
        Features out.
    """

    columns: Tensor

    def __init__(self, columns: tuple[int, ...], width: int) -> None:
        super().__init__()
        if not set(columns) <= set(range(N_HIT_FEATURES)):
            raise ValueError(f"columns {columns} are not all among the {N_HIT_FEATURES} hit features")
        self.register_buffer("columns", torch.tensor(columns), persistent=False)
        self.layers = nn.Sequential(nn.Linear(len(columns), width), nn.ReLU(), nn.Linear(width, width))

    def forward(self, hit_features: Tensor) -> Tensor:
        """Return ``[n_hits, width]`` of hit features ``[n_hits, 12]``."""
        encoded: Tensor = self.layers(hit_features.index_select(1, self.columns))
        return encoded
