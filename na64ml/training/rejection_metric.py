"""Background rejection while training, for the choice of the best checkpoint and for early stopping."""

import torch
from torch import Tensor
from torchmetrics import Metric

from na64ml.selection.efficiency import efficiency


class RejectionMetric(Metric):
    """Rejection of all backgrounds together that is excluded at 68 % confidence, at one signal efficiency.

    The lower end of the interval, not the rejection itself: it is finite when nothing survives, and a handful of events
    cannot look better than their number allows.

    Parameters
    ----------
    signal_efficiency
        Share of the signal above the threshold.
    """

    full_state_update = False
    higher_is_better = True
    scores: list[Tensor]
    is_signal: list[Tensor]
    weights: list[Tensor]

    def __init__(self, signal_efficiency: float = 0.9) -> None:
        super().__init__()
        self.signal_efficiency = signal_efficiency
        for name in ("scores", "is_signal", "weights"):
            self.add_state(name, default=[], dist_reduce_fx="cat")

    def update(self, score: Tensor, is_signal: Tensor, weight: Tensor) -> None:
        """Add events, ``[n]`` each."""
        self.scores.append(score.detach())
        self.is_signal.append(is_signal)
        self.weights.append(weight)

    def compute(self) -> Tensor:
        """Return the rejection; 1 without signal or without background."""
        score, is_signal, weight = (_joined(parts) for parts in (self.scores, self.is_signal, self.weights))
        used = weight > 0
        signal, background = used & is_signal, used & ~is_signal
        if not signal.any() or not background.any():
            return torch.ones(())
        ordered, order = score[signal].sort(descending=True)
        above = torch.cumsum(weight[signal][order], 0) / weight[signal].sum()
        threshold = ordered[int((above < self.signal_efficiency - 1e-6).sum())]
        passed = (score[background] >= threshold).numpy()
        return torch.tensor(1 / efficiency(passed, weight[background].double().numpy()).hi)


def _joined(parts: list[Tensor] | Tensor) -> Tensor:
    """Return the values of a state, which is a tensor once it was gathered from several processes."""
    return (parts if isinstance(parts, Tensor) else torch.cat(parts)).cpu()
