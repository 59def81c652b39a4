"""Clopper-Pearson intervals and limits of an efficiency.

The exact method of Clopper and Pearson, Biometrika 26 (1934) 404, written with the quantiles of the beta
distribution (PDG review "Statistics", section on intervals for binomial parameters). Counts may be
fractional: effective counts of weighted events (`na64ml.selection.efficiency`).
"""

from math import isclose, log

import numpy as np
from numpy.typing import ArrayLike, NDArray

CONFIDENCE_LEVEL = 0.90
"""Confidence level of all quoted intervals and limits, the one of NA64's exclusions (physics.md 4.7)."""


def lower_limit(passed: ArrayLike, total: ArrayLike, cl: float = CONFIDENCE_LEVEL) -> NDArray[np.float64]:
    """Return the one-sided Clopper-Pearson lower limit of an efficiency.

    Parameters
    ----------
    passed, total
        Counts ``[...]``, ``0 <= passed <= total``.
    cl
        Confidence level of the limit.
    """
    from scipy.special import betaincinv

    k, n = np.broadcast_arrays(np.asarray(passed, float), np.asarray(total, float))
    none = k <= 0
    return np.where(none, 0.0, betaincinv(np.where(none, 1.0, k), n - k + 1.0, 1.0 - cl))


def upper_limit(passed: ArrayLike, total: ArrayLike, cl: float = CONFIDENCE_LEVEL) -> NDArray[np.float64]:
    """Return the one-sided Clopper-Pearson upper limit of an efficiency; ``1 - (1 - cl)^(1/n)`` at 0 of n.

    Parameters
    ----------
    passed, total
        Counts ``[...]``, ``0 <= passed <= total``.
    cl
        Confidence level of the limit.
    """
    from scipy.special import betaincinv

    k, n = np.broadcast_arrays(np.asarray(passed, float), np.asarray(total, float))
    everything = k >= n
    return np.where(everything, 1.0, betaincinv(k + 1.0, np.where(everything, 1.0, n - k), cl))


def clopper_pearson(
    passed: ArrayLike, total: ArrayLike, cl: float = CONFIDENCE_LEVEL
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the central (two-sided) Clopper-Pearson interval of an efficiency."""
    one_sided = (1.0 + cl) / 2.0
    return lower_limit(passed, total, one_sided), upper_limit(passed, total, one_sided)


def zero_survivor_yield(largest: float, cl: float = CONFIDENCE_LEVEL) -> float:
    """Return the upper limit of a weighted yield when no event survives.

    The Poisson limit ``-ln(1 - cl)`` (2.30 at 90 %) events of the largest weight that could have passed
    (physics.md 3.3 and 4.7).
    """
    return -log(1.0 - cl) * largest


def zero_survivor_limit(total: float, squares: float, largest: float, cl: float = CONFIDENCE_LEVEL) -> float:
    """Return the upper limit of a weighted efficiency when no event survives.

    `zero_survivor_yield` over the sum of weights; with equal weights, the exact Clopper-Pearson limit.

    Parameters
    ----------
    total, squares, largest
        Sum of the weights of the independent events that could have passed, sum of their squares, and the
        largest of them.
    cl
        Confidence level of the limit.
    """
    if isclose(squares, largest * total, rel_tol=1e-12):
        return float(upper_limit(0, total / largest, cl))
    return min(1.0, zero_survivor_yield(largest, cl) / total)
