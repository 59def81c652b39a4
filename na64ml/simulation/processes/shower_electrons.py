"""The leading electron of a shower: how much of its energy is left at which depth (physics.md 4.2 [C])."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import gammainc

B = 4 / 3
"""Coefficient of the approximation I(E; t) = [ln(E0/E)]^(bt - 1) / (E0 Gamma(bt)) of the energy after t X0."""

MAX_DEPTH = 15.0
"""Depth in X0 behind which no electron of interest is left."""


def track_length(edges: NDArray[np.float64], initial: float) -> NDArray[np.float64]:
    """Return the track length in X0 of the primary electron in each bin of its energy.

    Parameters
    ----------
    edges
        Rising bin edges in GeV, up to ``initial`` at most, ``[n + 1]``.
    initial
        Energy in GeV with which the electron enters.

    Returns
    -------
    ndarray
        ``[n]``. At a depth t, ln(E0/E) is a gamma variate of shape bt, which gives the share in a bin without the
        singularity of the density at E0.
    """
    t = np.linspace(1e-6, MAX_DEPTH, 2000)
    logarithm = np.log(initial / np.asarray(edges, dtype=np.float64))
    below = gammainc(B * t, np.clip(logarithm, 0, None)[:, None])
    return np.asarray(np.trapezoid(below[:-1] - below[1:], t, axis=1))


def draw_electrons(
    n: int, initial: NDArray[np.float64], rng: Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return energy in GeV and depth in X0 of electrons, distributed as their track length; ``[n]`` each.

    At a depth t, ln(E0/E) is a gamma variate of shape bt.
    """
    depth = rng.uniform(0.0, MAX_DEPTH, n)
    return initial * np.exp(-rng.standard_gamma(B * depth)), depth
