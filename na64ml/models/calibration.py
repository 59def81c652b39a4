"""Calibration of class probabilities by a temperature."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from na64ml.errors import InputError

_LARGEST = 20.0
"""Largest temperature and inverse of the smallest."""


def fit_temperature(logits: NDArray[np.floating], label: NDArray[np.integer], weight: NDArray[np.floating]) -> float:
    """Return the temperature that gives the smallest cross-entropy of ``logits / temperature``.

    Networks trained to the end are too sure of themselves; one number learned on events that they have not been
    trained on corrects most of it and leaves the most probable class as it is (Guo et al., arXiv:1706.04599).

    Parameters
    ----------
    logits
        ``[n, n_classes]``, finite.
    label
        ``[n]``.
    weight
        ``[n]``, those of the loss.

    Raises
    ------
    InputError
        If there are no events, or the logits are not finite.
    """
    if len(logits) == 0 or not np.isfinite(logits).all():
        raise InputError(f"calibration needs scored events, {len(logits)} were given; check the files and the split")
    log_temperature = minimize_scalar(
        lambda x: cross_entropy(logits / np.exp(x), label, weight),
        bounds=(-np.log(_LARGEST), np.log(_LARGEST)),
        method="bounded",
    )
    return float(np.exp(log_temperature.x))


def cross_entropy(logits: NDArray[np.floating], label: NDArray[np.integer], weight: NDArray[np.floating]) -> float:
    """Return the weighted mean cross-entropy."""
    losses = -log_softmax(logits.astype(np.float64), axis=1)[np.arange(len(label)), label]
    return float(np.average(losses, weights=weight))
