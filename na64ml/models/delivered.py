"""The delivered graph: everything between raw events and the columns that users get."""

from torch import Tensor, nn

from na64ml.models.network import EventNetwork
from na64ml.models.outputs import Discriminant, Status, only_scored


class DeliveredNetwork(nn.Module):
    """A network with discriminant and status, in one graph."""

    def __init__(self, network: EventNetwork) -> None:
        super().__init__()
        self.network = network
        self.discriminant = Discriminant(network.inputs)
        self.status = Status(network.inputs)

    def forward(self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> tuple[Tensor, ...]:
        """Return logits, probabilities, score and status; all but the status are NaN where it is not 0."""
        status = self.status(hits, detector, event, track)
        logits = self.network(hits, detector, event, track)
        probability, score = self.discriminant(logits, self.network.temperature)
        return (*only_scored(status, logits, probability, score), status)
