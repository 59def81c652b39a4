"""Decays of long-lived particles that are forced to happen in a region, with their probability as weight."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray


def forced_decay(
    start: NDArray[np.float64], length: NDArray[np.float64], region: tuple[float, float], rng: Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return decay vertices inside a region and the probabilities to decay there.

    P = exp(-L_shield / L) (1 - exp(-L_decay / L)) (physics.md 4.5 [V-code]), and an exponential inside.

    Parameters
    ----------
    start
        z in mm where the particles are made, ``[n]``.
    length
        Their mean decay lengths in mm, ``[n]``.
    region
        First and last z in mm.
    """
    first, last = np.maximum(region[0], start), region[1]
    inside = -np.expm1(-(last - first) / length)
    probability = np.exp(-(first - start) / length) * inside
    return first - length * np.log1p(-rng.random(len(start)) * inside), probability
