"""Edge convolutions on a graph of neighbouring hits, with a readout per detector layer."""

from torch import Tensor, nn

from na64ml.models.edge_conv import EdgeConv
from na64ml.models.hit_network import HitNetwork
from na64ml.models.inputs import NetworkInputs


class EdgeConvNetwork(HitNetwork):
    """ParticleNet-like classifier of packed events: ``n_blocks`` edge convolutions on one neighbour table.

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
        self.blocks = nn.ModuleList(EdgeConv(width, dropout) for _ in range(n_blocks))

    def mix(self, nodes: Tensor, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> Tensor:
        """Pass messages between neighbours."""
        places = self.places(event, track, self.k)
        neighbours = self.neighbours(hits, detector, track, places, self.k)
        for block in self.blocks:
            nodes = block(nodes, neighbours, places)
        return nodes
