"""Random numbers distributed as a tabulated density."""

import numpy as np
from numpy.typing import NDArray


def cumulative(grid: NDArray[np.float64], density: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the integral of a density from the first grid point, normalised to 1 at the last, ``[n]``."""
    steps = (density[1:] + density[:-1]) / 2 * np.diff(grid)
    total = np.concatenate([[0.0], np.cumsum(steps)])
    return np.asarray(total / total[-1])


def draw(grid: NDArray[np.float64], density: NDArray[np.float64], uniform: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values distributed as ``density`` for uniform random numbers."""
    return np.interp(uniform, cumulative(grid, density), grid)


def draw_binned(
    edges: NDArray[np.float64], content: NDArray[np.float64], uniform: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return values distributed as a histogram, flat inside its bins, for uniform random numbers."""
    total = np.concatenate([[0.0], np.cumsum(content)])
    return np.asarray(np.interp(uniform * total[-1], total, edges))


def middles(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the middles of bins."""
    return np.asarray((edges[1:] + edges[:-1]) / 2)
