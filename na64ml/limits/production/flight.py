"""Particles that decay on their way: probabilities to decay in or behind a region."""

import numpy as np

from na64ml.limits.production.target import Array


def decay_inside(length: Array, shield: float, region: float) -> Array:
    """Return the probability to decay within ``region`` mm behind ``shield`` mm (physics.md 4.5 [V-code]).

    Parameters
    ----------
    length
        Mean decay length in mm.
    """
    return np.asarray(np.exp(-shield / length) * -np.expm1(-region / length))


def decay_behind(length: Array, distance: float) -> Array:
    """Return the probability to decay later than ``distance`` mm."""
    return np.asarray(np.exp(-distance / length))
