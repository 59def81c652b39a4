"""Attention between all hits of an event, biased by their distance."""

import torch
from torch import Tensor, nn

from na64ml.errors import ConfigError
from na64ml.graphs.knn import STEPS_PER_PITCH
from na64ml.graphs.padding import Padding
from na64ml.models.hit_network import HitNetwork
from na64ml.models.inputs import NetworkInputs

_SCALES = (1.0, 2.0, 4.0, 8.0)
"""Distances in pitches that the bias resolves."""
_MASKED = -1e4
"""Attention logit of a place without hit."""


class GeometricBias(nn.Module):
    """Attention bias from the distance of two hits: a weighted sum of Gaussians, one set of weights per head.

    Parameters
    ----------
    n_heads
        Attention heads.
    """

    square_scale: Tensor

    def __init__(self, n_heads: int) -> None:
        super().__init__()
        self.register_buffer("square_scale", torch.tensor(_SCALES) ** 2, persistent=False)
        self.weight = nn.Linear(len(_SCALES), n_heads, bias=False)

    def forward(self, position: Tensor) -> Tensor:
        """Return the bias ``[n_events, n_heads, width, width]`` of positions ``[n_events, width, 3]`` in pitches."""
        difference = position[:, :, None, :] - position[:, None, :, :]
        distance = (difference * difference).sum(dim=3, keepdim=True)
        bias: Tensor = self.weight(torch.exp(-distance / (2 * self.square_scale)))
        return bias.permute(0, 3, 1, 2)


class AttentionBlock(nn.Module):
    """Self-attention and an MLP, each on normalised inputs and with a residual connection.

    Softmax and products are written out: the operator ``Attention`` of later ONNX opsets is rejected by the runtime
    for masks such as these.

    Parameters
    ----------
    width, n_heads
        Features of a hit; attention heads, of ``width / n_heads`` features each.
    dropout
        Share of the updates set to zero in training.
    """

    def __init__(self, width: int, n_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        self.update = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, nodes: Tensor, places: Padding, bias: Tensor) -> Tensor:
        """Update ``nodes`` ``[n_hits, width]``; ``bias`` is ``[n_events, n_heads, places.width, places.width]``."""
        size = nodes.shape[1] // self.n_heads
        parts = places.pad(self.query_key_value(self.norm(nodes)))
        query, key, value = parts.reshape(-1, places.width, 3, self.n_heads, size).permute(2, 0, 3, 1, 4).unbind(0)
        attention = torch.softmax(torch.matmul(query, key.transpose(2, 3)) / size**0.5 + bias, dim=3)
        found = torch.matmul(attention, value).permute(0, 2, 1, 3).reshape(-1, places.width, self.n_heads * size)
        nodes = nodes + self.dropout(self.join(places.pack(found)))
        updated: Tensor = nodes + self.update(nodes)
        return updated


class SetTransformerNetwork(HitNetwork):
    """Transformer encoder of hits (cf. Particle Transformer, arXiv:2202.03772) with a distance bias.

    All hits of an event attend to each other, so that no choice of neighbours is needed and nothing is lost between
    detectors; time and memory grow with the square of the number of hits.

    Parameters
    ----------
    inputs, width, pool_width, head_width
        As in `na64ml.models.hit_network.HitNetwork`.
    n_blocks, n_heads
        Attention blocks and heads; ``width`` is a multiple of ``n_heads``.
    dropout
        In the blocks and in the final MLP.

    Raises
    ------
    ConfigError
        If ``width`` is no multiple of ``n_heads``.
    """

    def __init__(
        self,
        inputs: NetworkInputs,
        width: int = 32,
        n_blocks: int = 2,
        n_heads: int = 4,
        pool_width: int = 8,
        head_width: int = 64,
        dropout: float = 0.3,
    ) -> None:
        super().__init__(inputs, width, pool_width, head_width, dropout)
        if width % n_heads:
            raise ConfigError(f"model.network: width {width} is no multiple of n_heads {n_heads}; change one of them")
        self.save_hyperparameters(ignore="inputs")
        self.bias = GeometricBias(n_heads)
        self.blocks = nn.ModuleList(AttentionBlock(width, n_heads, dropout) for _ in range(n_blocks))

    def mix(self, nodes: Tensor, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> Tensor:
        """Let the hits of each event attend to each other."""
        places = self.places(event, track)
        position = places.pad(self.grid(hits, detector, event, track) / STEPS_PER_PITCH)
        empty = torch.arange(places.width, device=event.device) >= places.count[:, None]
        bias = self.bias(position) + _MASKED * empty.to(nodes.dtype)[:, None, None, :]
        for block in self.blocks:
            nodes = block(nodes, places, bias)
        return nodes
