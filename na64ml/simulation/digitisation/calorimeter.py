"""Cells: cross-talk, sampling, photo-statistics, gain errors, noise, threshold, time."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from na64ml.setups.digitisation import CalorimeterReadout

NO_TIME = -1000.0
"""Time in ns of a cell that is not read out."""


def digitise_cells(
    visible: NDArray[np.float64],
    segments: int,
    readout: CalorimeterReadout,
    gains: NDArray[np.float64],
    dead: NDArray[np.bool_],
    rng: Generator,
) -> NDArray[np.float32]:
    """Return measured cell energies in GeV, 0 below the threshold, ``[n_events, n_channels]``.

    Parameters
    ----------
    visible
        Energy in the scintillator in GeV, ``[n_events, n_channels]``.
    segments
        Number of segments in depth, the first index of the channels.
    gains, dead
        Gain error and state of each channel, ``[n_channels]``.
    """
    if readout.crosstalk is not None:
        visible = shared(visible, segments, readout.crosstalk.value)
    if readout.photoelectrons is not None:
        yield_ = readout.photoelectrons.value
        visible = rng.poisson(visible * yield_) / yield_
    energy = visible / readout.sampling.value * gains + rng.normal(0.0, readout.noise.value, visible.shape)
    energy[(energy <= readout.threshold.value) | dead] = 0.0
    return energy.astype(np.float32)


def shared(visible: NDArray[np.float64], segments: int, share: float) -> NDArray[np.float64]:
    """Return energies of which every cell has a ``share`` of its segment's, ``[n_events, n_channels]``.

    The sum of a segment stays; the share is at most that of cells which all see the same.
    """
    cells = visible.reshape(len(visible), segments, -1)
    share = min(share, 1 / cells.shape[2])
    total = cells.sum(axis=2, keepdims=True)
    return np.asarray((1 - cells.shape[2] * share) * cells + share * total).reshape(visible.shape)


def digitise_times(
    energy: NDArray[np.float32], delay: NDArray[np.float64], readout: CalorimeterReadout, rng: Generator
) -> NDArray[np.float32]:
    """Return measured times in ns, `NO_TIME` where there is no energy, ``[n_events, n_channels]``.

    Parameters
    ----------
    delay
        Mean time of the deposits of each cell, that of a second particle included.
    """
    hit = energy > 0
    constant = readout.time_sigma.value if readout.time_sigma else 0.0
    noise = readout.time_noise.value if readout.time_noise else 0.0
    sigma = np.hypot(constant, noise / np.where(hit, energy, 1.0))
    return np.where(hit, rng.normal(delay, sigma), NO_TIME).astype(np.float32)
