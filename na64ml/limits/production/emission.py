"""Dark particles made per beam particle, by mass and energy."""

from dataclasses import dataclass

import numpy as np

from na64ml.limits.production.target import Array


@dataclass(frozen=True, eq=False)
class Emission:
    """Dark particles of one mechanism per beam particle, for a coupling of 1; they grow with its square.

    Parameters
    ----------
    name
        The mechanism.
    energy
        Energy of the dark particle in GeV, ``[n_masses, n_energies]``.
    rate
        Dark particles of that energy per beam particle, ``[n_masses, n_energies]``.
    """

    name: str
    energy: Array
    rate: Array

    @property
    def total(self) -> Array:
        """Dark particles of any energy, ``[n_masses]``."""
        return np.asarray(self.rate.sum(axis=1))


def energy_edges(beam: float, low: float = 1.0, n: int = 300) -> Array:
    """Return bin edges in GeV from ``low`` to the beam energy, even, and dense where little energy is left.

    Most dark photons take nearly all energy, so that what is left decides whether the event is seen.
    """
    left = np.concatenate([np.linspace(beam - low, 0.01 * beam, n), np.geomspace(0.01 * beam, 1e-5 * beam, 60)[1:]])
    return np.concatenate([beam - left, [beam]])


def histogram(x: Array, logarithm: Array, density: Array, weight: Array, energy: Array, edges: Array) -> Array:
    """Return how often a dark particle has an energy between ``edges``, ``[n_bins]``.

    Parameters
    ----------
    x, logarithm, density
        Share of the energy, ln(1 - x) and the density in x, ``[n_energies, n]``, falling x.
    weight
        Dark particles made at each energy of the emitting particle, ``[n_energies]``.
    energy
        Energy of the emitting particle in GeV, ``[n_energies]``.
    edges
        Rising bin edges in GeV.
    """
    steps = np.diff(logarithm, axis=1)
    slices = density * (1 - x)  # dx = (1 - x) dln(1 - x)
    below = np.cumsum((slices[:, 1:] + slices[:, :-1]) / 2 * steps, axis=1)
    cumulative = np.concatenate([np.zeros((len(x), 1)), below], axis=1)  # from the largest x down
    total = cumulative[:, -1]
    counts = np.zeros(len(edges) - 1)
    for i in np.flatnonzero((weight > 0) & (total > 0)):
        left = np.log(np.clip(1 - edges / energy[i], np.exp(logarithm[i, 0]), None))
        above = np.interp(left, logarithm[i], cumulative[i])
        counts += weight[i] * (above[:-1] - above[1:]) / total[i]
    return counts
