"""Forcing the synchrotron-radiation detector to take a particle for an electron."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray


def srd_fake(
    n_events: int, rng: Generator, forced_fraction: float, rejection: float
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return which events are forced to fake an electron's response, and the weights, ``[n_events]``.

    In nature a share ``rejection`` fakes it (physics.md 3.3: 2e-5 [V-seed]); a share ``forced_fraction`` does here.
    """
    if forced_fraction == 0:
        return np.zeros(n_events, dtype=np.bool_), np.ones(n_events)
    forced = rng.random(n_events) < forced_fraction
    weight = np.where(forced, rejection / forced_fraction, (1 - rejection) / (1 - forced_fraction))
    return forced, weight
