"""Edge convolutions whose later graphs are in a learned space."""

from torch import Tensor, nn

from na64ml.models.edge_conv import EdgeConv
from na64ml.models.hit_network import HitNetwork
from na64ml.models.inputs import NetworkInputs
from na64ml.models.learned_neighbours import learned_neighbours


class DynamicEdgeConvNetwork(HitNetwork):
    """Dynamic graph network (Wang et al., arXiv:1801.07829): neighbours are sought anew before every block.

    The first block takes the nearest hits in the detector, each later one the nearest in ``n_coordinates`` learned
    coordinates, so that hits far apart which belong together (an ECAL shower and its leak in the HCAL) exchange
    messages directly. The published network seeks in the full feature space and weights all neighbours alike; the
    projection and the weights of `na64ml.models.learned_neighbours` make it cheap and the same in every runtime.

    Parameters
    ----------
    inputs, width, pool_width, head_width
        As in `na64ml.models.hit_network.HitNetwork`.
    n_blocks
        Edge convolutions.
    k
        Neighbours of a hit.
    n_coordinates
        Dimensions of the learned space.
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
        pool_width: int = 8,
        head_width: int = 64,
        dropout: float = 0.3,
    ) -> None:
        super().__init__(inputs, width, pool_width, head_width, dropout)
        self.save_hyperparameters(ignore="inputs")
        self.k = k
        self.first = EdgeConv(width, dropout)
        self.blocks = nn.ModuleList(EdgeConv(width, dropout) for _ in range(n_blocks - 1))
        self.coordinates = nn.ModuleList(nn.Linear(width, n_coordinates) for _ in range(n_blocks - 1))

    def mix(self, nodes: Tensor, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> Tensor:
        """Pass messages between neighbours, first in the detector, then in learned spaces."""
        places = self.places(event, track, self.k + 1)
        nodes = self.first(nodes, self.neighbours(hits, detector, track, places, self.k), places)
        for block, coordinates in zip(self.blocks, self.coordinates, strict=True):
            neighbours, weight = learned_neighbours(coordinates(nodes), places, self.k)
            nodes = block(nodes, neighbours, places, weight)
        return nodes
