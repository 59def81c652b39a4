"""The delivered graph: everything between raw events and the columns that users get."""

from torch import Tensor, nn

from na64ml.models.inputs import NetworkInputs
from na64ml.models.network import EventNetwork
from na64ml.models.outputs import Discriminant, Status, only_scored


class Delivered(nn.Module):
    """Discriminant and status, which are the same for everything that gives logits."""

    def __init__(self, inputs: NetworkInputs) -> None:
        super().__init__()
        self.inputs = inputs
        self.discriminant = Discriminant(inputs)
        self.status = Status(inputs)

    def deliver(self, status: Tensor, logits: Tensor, temperature: Tensor | float = 1.0) -> tuple[Tensor, ...]:
        """Return logits, probabilities, score and status; all but the status are NaN where it is not 0."""
        probability, score = self.discriminant(logits, temperature)
        return (*only_scored(status, logits, probability, score), status)


class DeliveredNetwork(Delivered):
    """A network with discriminant and status, in one graph."""

    def __init__(self, network: EventNetwork) -> None:
        super().__init__(network.inputs)
        self.network = network

    def forward(self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor) -> tuple[Tensor, ...]:
        """Return logits, probabilities, score and status."""
        status = self.status(hits, detector, event, track)
        return self.deliver(status, self.network(hits, detector, event, track), self.network.temperature)


class DeliveredLogits(Delivered):
    """Discriminant and status around logits ``[n_events, n_classes]`` that come from elsewhere, such as trees."""

    def forward(
        self, hits: Tensor, detector: Tensor, event: Tensor, track: Tensor, raw_logits: Tensor
    ) -> tuple[Tensor, ...]:
        """Return logits, probabilities, score and status."""
        return self.deliver(self.status(hits, detector, event, track), raw_logits)
