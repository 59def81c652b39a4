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
    helper = np.where(np.abs(axis[:, 2:]) > 0.5, np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, 1.0]))
    one = np.cross(axis, helper)
    one /= np.linalg.norm(one, axis=1, keepdims=True)
    other = np.cross(axis, one)
    vector = axis + tangent[:, None] * (np.cos(azimuth)[:, None] * one + np.sin(azimuth)[:, None] * other)
    return np.asarray(vector / np.linalg.norm(vector, axis=1, keepdims=True))
