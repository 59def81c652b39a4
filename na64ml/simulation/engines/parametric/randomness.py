"""Random numbers that many showers need at once."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Float = NDArray[np.float64]

_SPARSE = 0.3


def gamma_like(shape: Float, rng: Generator) -> Float:
    """Return numbers of mean about 1 and variance about 1/shape, close to gamma distributed, at the cost of a gaussian.

    The cube root of a gamma variable is nearly gaussian (Wilson and Hilferty 1931 [M-H]); below a shape of `_SPARSE`
    most numbers are zero and the others larger, so that the mean stays within 5 %.
    """
    width = 1 / (9 * np.maximum(shape, _SPARSE))
    result = np.clip(1 - width + np.sqrt(width) * rng.standard_normal(shape.shape), 0, None) ** 3
    sparse = np.flatnonzero(shape.ravel() < _SPARSE)
    share = np.maximum(shape.ravel()[sparse], 1e-6) / _SPARSE
    result.ravel()[sparse] *= (rng.random(len(sparse)) < share) / share
    return np.asarray(result)


def tilted(axis: Float, tangent: Float, rng: Generator) -> Float:
    """Return unit vectors at an angle to ``axis``, ``[n, 3]``, whose tangent is ``[n]``, at a random azimuth."""
    azimuth = rng.uniform(0, 2 * np.pi, len(axis))
    along, across = tangent * np.cos(azimuth), tangent * np.sin(azimuth)
    # Two vectors at right angles to the axis without a branch (Duff et al., JCGT 6, 2017).
    x, y, z = axis.T
    sign = np.where(z < 0, -1.0, 1.0)
    a = -1 / (sign + z)
    b = x * y * a
    length = 1 / np.sqrt(1 + tangent**2)
    return np.column_stack(
        [
            (x + along * (1 + sign * x * x * a) + across * b) * length,
            (y + along * sign * b + across * (sign + y * y * a)) * length,
            (z - along * sign * x - across * y) * length,
        ]
    )
