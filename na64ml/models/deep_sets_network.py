"""Hits as a set, without exchange between them."""

from torch import Tensor, nn

from na64ml.models.hit_network import HitNetwork
from na64ml.models.inputs import NetworkInputs


class DeepSetsNetwork(HitNetwork):
    """Deep set (Zaheer et al., arXiv:1703.06114; energy-flow networks, arXiv:1810.05165): no message passing at all.

    Every hit passes an MLP of its own; all that hits know of each other is in the input features and in what is
    pooled. The fastest network, and the measure of what message passing is worth.

    Parameters
    ----------
    inputs, width, pool_width, head_width
        As in `na64ml.models.hit_network.HitNetwork`.
    n_blocks
        Residual layers of the MLP of a hit.
    dropout
        In the final MLP.
    """

    def __init__(
        self,
        inputs: NetworkInputs,
        width: int = 32,
        n_blocks: int = 2,
        pool_width: int = 8,
        head_width: int = 64,
        dropout: float = 0.3,
    ) -> None:
        super().__init__(inputs, width, pool_width, head_width, dropout)
        self.save_hyperparameters(ignore="inputs")
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width))
            for _ in range(n_blocks)
        )

    def mix(self, nodes: Tensor, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> Tensor:
        """Update each hit by itself."""
        for block in self.blocks:
            nodes = nodes + block(nodes)
        return nodes
