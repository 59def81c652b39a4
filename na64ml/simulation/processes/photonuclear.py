"""Photo-nuclear interactions in the target: how often, and how much energy they take (physics.md 3.3 [C])."""

from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from na64ml.setups.sourced import NonNegative
from na64ml.simulation.processes.energy_transfer import EnergyTransfer
from na64ml.simulation.processes.sampling import draw_binned, middles
from na64ml.simulation.processes.shower_electrons import photon_track_length

PHOTONUCLEAR = {0.1: 2.3e-3, 0.2: 9.2e-4, 0.5: 1.7e-4, 0.8: 2.9e-5}
"""Interactions in the ECAL per electron above a share of the beam energy (physics.md 3.3 [C]).

They were computed for 100 GeV; as shares of the beam energy they hold for other energies.
"""

SOURCE = "C: physics.md 3.3, photo-nuclear in the ECAL"


def interactions_above(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return interactions per electron that take more than a share ``y`` of the beam energy.

    The track length of first-generation photons above y, which vanishes at y = 1, times a factor that makes it the
    tabulated number: ln of the factor is interpolated in ln y (monotonic cubic), and constant beyond the table.
    """
    table = np.array(list(PHOTONUCLEAR))
    factor = PchipInterpolator(np.log(table), np.log(list(PHOTONUCLEAR.values())) - np.log(_photons_above(table)))
    logarithm = factor(np.log(np.clip(y, table[0], table[-1])))
    return np.asarray(_photons_above(y) * np.exp(logarithm))


def photonuclear_rate(transfer: EnergyTransfer) -> NonNegative:
    """Return interactions per electron with a transfer in the range."""
    above = interactions_above(np.array([transfer.low, transfer.high]))
    return NonNegative(value=float(above[0] - above[1]), source=SOURCE)


def photonuclear_weight(y: NDArray[np.float64], transfer: EnergyTransfer) -> NDArray[np.float64]:
    """Return nature's density of transfers in the range over 1/y, from which they are drawn, ``[n]``."""
    edges = np.geomspace(transfer.low, transfer.high, 201)
    content = -np.diff(interactions_above(edges))
    # All bins are equally probable for 1/y.
    weight = content / content.mean()
    return np.asarray(np.interp(np.log(y), middles(np.log(edges)), weight))


def draw_transfers(n: int, low: float, acceptance: NDArray[np.float64], rng: Generator) -> NDArray[np.float64]:
    """Return transfers above ``low`` accepted with a probability given at the middles of `transfer_bins`, ``[n]``."""
    edges = transfer_bins(low)
    return draw_binned(edges, -np.diff(interactions_above(edges)) * acceptance, rng.random(n))


def transfer_bins(low: float) -> NDArray[np.float64]:
    """Return bin edges in y from ``low`` to 1."""
    return np.linspace(low, 1.0, 401)


def _photons_above(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the track length in X0 of first-generation photons above a share of the electron's energy, ``[n]``."""
    grid, above = _photon_table()
    return np.interp(y, grid, above)


@cache
def _photon_table() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    grid = np.linspace(0.001, 1.0, 1000)
    below = np.concatenate([[0.0], np.cumsum(middles(photon_track_length(grid, 1.0)) * np.diff(grid))])
    return grid, below[-1] - below
