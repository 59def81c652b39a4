"""The measured beam track, with momentum tails."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from na64ml.setups.digitisation import TrackReadout
from na64ml.simulation.generated import BeamTrack

CHI2_NDF = 4
"""Degrees of freedom of the straight line in two projections: its chi2/ndf in the reference sample [card]."""


def digitise_track(
    track: BeamTrack, nominal: float, scale: float, forced: NDArray[np.bool_], readout: TrackReadout, rng: Generator
) -> dict[str, NDArray[np.float32]]:
    """Return the columns of the measured track, ``[n_events]``.

    Parameters
    ----------
    nominal
        Beam energy in GeV, measured where the momentum is ``forced`` to be wrong in the dangerous way.
    scale
        Beam energy over that to which the range of wrong momenta refers.
    """
    n_events = len(track)
    low, high = (scale * momentum for momentum in readout.wrong_momentum.value)
    wrong = rng.random(n_events) < readout.wrong_fraction.value
    true = np.where(forced, nominal, track.p)
    momentum = np.where(
        wrong & ~forced,
        rng.uniform(low, high, n_events),
        rng.normal(true, true * readout.momentum_resolution.value),
    )
    slope = rng.normal(track.slope, readout.angle.value)
    impact = rng.normal(track.impact, readout.position.value)
    columns = {
        "track_p": momentum,
        "track_thx": slope[:, 0],
        "track_thy": slope[:, 1],
        "track_x": impact[:, 0],
        "track_y": impact[:, 1],
        "track_chi2": rng.chisquare(CHI2_NDF, n_events) / CHI2_NDF,
    }
    return {name: values.astype(np.float32) for name, values in columns.items()}
