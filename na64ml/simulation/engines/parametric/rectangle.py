"""Share of a lateral profile in rectangles."""

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]


def shares(x: Float, y: Float, radius: Float) -> Float:
    """Return the share of the profile in each rectangle of a grid, ``[n, nx, ny]``.

    The profile f(r) = 2 r R² / (r² + R²)² of physics.md 5.3 has the density R² / (π (r² + R²)²). Integrated over y,
    then over x, the share between 0 and x, and 0 and y, is

        G(x, y) = [x/a arctan(y/a) + y/b arctan(x/b)] / 2π,   a = sqrt(x² + R²),   b = sqrt(y² + R²)

    and that of a rectangle the sum of G over its corners with alternating signs [C].

    Parameters
    ----------
    x, y
        ``[n, nx + 1]`` and ``[n, ny + 1]``: edges in mm from the centre of the profile.
    radius
        ``[n]``: R in mm.
    """
    squared = radius[:, None] ** 2
    a, b = 1 / np.sqrt(x * x + squared), 1 / np.sqrt(y * y + squared)
    xa, yb = x * a, y * b
    corner = xa[:, :, None] * np.arctan(y[:, None, :] * a[:, :, None])
    corner += yb[:, None, :] * np.arctan(x[:, :, None] * b[:, None, :])
    strips = corner[:, 1:] - corner[:, :-1]
    return (strips[:, :, 1:] - strips[:, :, :-1]) / (2 * np.pi)
