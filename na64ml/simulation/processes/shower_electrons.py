"""The leading electron of a shower and the photons it radiates, by energy and depth (physics.md 4.2, 3.3 [C])."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import gammainc, gammaln

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


def photon_track_length(energy: NDArray[np.float64], initial: float) -> NDArray[np.float64]:
    """Return the track length per GeV in X0 of first-generation photons (physics.md 3.3 [C]).

    Bremsstrahlung dN/dk = (4/3 - 4/3 y + y²) / k of the leading electron, times the mean free path 9/7 X0.
    """
    edges = np.linspace(0.0, initial, 401)[1:]
    electrons, lengths = (edges[1:] + edges[:-1]) / 2, track_length(edges, initial)
    y = energy[:, None] / electrons
    bremsstrahlung = np.where(y < 1, (4 / 3 - 4 / 3 * y + y**2) / energy[:, None], 0.0)
    return np.asarray((bremsstrahlung * lengths).sum(axis=1) * 9 / 7)


def draw_depth(energy: NDArray[np.float64], initial: NDArray[np.float64], rng: Generator) -> NDArray[np.float64]:
    """Return depths in X0 at which electrons that entered with ``initial`` have ``energy`` GeV left, ``[n]``."""
    t = np.linspace(0.01, MAX_DEPTH, 400)
    logarithm = np.log(np.maximum(initial / energy, 1 + 1e-6))[:, None]
    log_density = (B * t - 1) * np.log(logarithm) - gammaln(B * t)
    density = np.exp(log_density - log_density.max(axis=1, keepdims=True))
    total = np.cumsum(density, axis=1)
    chosen = (total < rng.random((len(energy), 1)) * total[:, -1:]).sum(axis=1)
    return np.asarray(t[np.minimum(chosen, len(t) - 1)])
