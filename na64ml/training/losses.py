"""Losses of single events."""

import torch
from torch import Tensor


def event_losses(logits: Tensor, label: Tensor, label_smoothing: float = 0.0, focal: float = 0.0) -> Tensor:
    r"""Return the loss of each event, ``[n_events]``.

    Cross-entropy, times :math:`(1 - p)^\gamma` with p the probability of the true class if ``focal`` is
    :math:`\gamma > 0` (focal loss, Lin et al., arXiv:1708.02002): events that are classified well already count less,
    so that the rare ones near the decision get more of the training.

    Parameters
    ----------
    logits
        ``[n_events, n_classes]``.
    label
        int64 ``[n_events]``.
    label_smoothing
        Share of the target that is spread over all classes.
    focal
        Exponent; 0 is cross-entropy.
    """
    losses = torch.nn.functional.cross_entropy(logits, label, reduction="none", label_smoothing=label_smoothing)
    if focal == 0:
        return losses
    p = torch.softmax(logits, dim=1).gather(1, label[:, None])[:, 0]
    return losses * (1 - p) ** focal
