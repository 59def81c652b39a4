"""Any torch_geometric layer on the graph of neighbouring hits."""

from typing import Any

import torch
from torch import Tensor, nn

from na64ml.errors import ConfigError
from na64ml.models.class_path import import_class
from na64ml.models.hit_network import HitNetwork
from na64ml.models.inputs import NetworkInputs

_LAYER = "torch_geometric.nn.GATv2Conv"
_LAYER_ARGS = {"heads": 4, "concat": False, "add_self_loops": False}


class GeometricNetwork(HitNetwork):
    """Residual stack of torch_geometric layers, by default GATv2 (Brody et al., arXiv:2105.14491).

    The layer is built as ``layer(width, width, **layer_args)`` and called as ``layer(nodes, edge_index)``, where the
    edges go from the neighbours of the neighbour table to each hit. One node more, with edges to itself only, stands
    in for missing neighbours, so that a batch without hits or edges is an ordinary graph; layers that attend or take
    maxima fail without it. In the ONNX runtime these layers are several times slower than those that use the
    neighbour table.

    Parameters
    ----------
    inputs, width, pool_width, head_width
        As in `na64ml.models.hit_network.HitNetwork`.
    n_blocks
        Layers.
    k
        Neighbours of a hit.
    layer
        Path of the layer class.
    layer_args
        Its further arguments. Layers that add self-loops must be told not to: the edges that they remove first
        cannot be exported.
    dropout
        After the layers and in the final MLP.

    Raises
    ------
    ConfigError
        If the layer cannot be built, called with nodes and edges only, or does not return ``width`` features.
    """

    def __init__(
        self,
        inputs: NetworkInputs,
        width: int = 32,
        n_blocks: int = 2,
        k: int = 8,
        layer: str = _LAYER,
        layer_args: dict[str, Any] | None = None,
        pool_width: int = 8,
        head_width: int = 64,
        dropout: float = 0.3,
    ) -> None:
        super().__init__(inputs, width, pool_width, head_width, dropout)
        self.save_hyperparameters(ignore="inputs")
        self.k = k
        arguments = (_LAYER_ARGS if layer == _LAYER else {}) | (layer_args or {})
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(n_blocks))
        self.blocks = nn.ModuleList(_build(layer, width, arguments) for _ in range(n_blocks))
        self.dropout = nn.Dropout(dropout)

    def mix(self, nodes: Tensor, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> Tensor:
        """Apply the layers."""
        places = self.places(event, track, self.k)
        edges = self.edges(self.neighbours(hits, detector, track, places, self.k))
        nodes = torch.cat([nodes, nodes.new_zeros((1, nodes.shape[1]))])
        for norm, block in zip(self.norms, self.blocks, strict=True):
            nodes = nodes + self.dropout(torch.relu(block(norm(nodes), edges)))
        return nodes[:-1]

    @staticmethod
    def edges(neighbours: Tensor) -> Tensor:
        """Return the edges int64 ``[2, n_hits * k + 1]`` of a neighbour table.

        Edges that stand for a missing neighbour start and end at the additional node ``n_hits``; their number does
        not depend on the values, which a graph with named axes could not express.
        """
        n_hits = neighbours.shape[0]
        hit = torch.arange(n_hits, device=neighbours.device)[:, None].expand_as(neighbours)
        present = neighbours >= 0
        pairs = torch.stack([torch.where(present, neighbours, n_hits), torch.where(present, hit, n_hits)])
        itself = torch.full((2, 1), n_hits, dtype=torch.int64, device=neighbours.device)
        return torch.cat([pairs.reshape(2, -1), itself], dim=1)


def _build(path: str, width: int, arguments: dict[str, Any]) -> nn.Module:
    kind = import_class(path, "model.network.init_args.layer")
    try:
        layer = kind(width, width, **arguments)
        found = layer(torch.zeros(3, width), torch.tensor([[0, 1, 2], [1, 0, 2]]))
    except Exception as error:  # layers raise many kinds for arguments that do not fit
        raise ConfigError(
            f"model.network.init_args.layer: {path} cannot be built with the sizes ({width}, {width}) and "
            f"layer_args {arguments}, or called with nodes and edges ({error}); change layer_args or the layer"
        ) from error
    if not isinstance(layer, nn.Module) or tuple(found.shape) != (3, width):
        raise ConfigError(
            f"model.network.init_args.layer: {path} turns {width} features into {tuple(found.shape)[1:]}, "
            f"{width} are needed; change layer_args (for attention layers: concat: false)"
        )
    return layer
