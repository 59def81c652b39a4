"""Efficiency of a cut on weighted, possibly correlated events."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import InputError
from na64ml.evaluation.intervals import CONFIDENCE_LEVEL, clopper_pearson, zero_survivor_limit


@dataclass(frozen=True)
class Efficiency:
    """An efficiency with its interval.

    Parameters
    ----------
    value
        Weight that passes over all weight.
    lo, hi
        Central interval; without survivors 0 and the one-sided upper limit.
    survivors, total
        Independent events that pass and that there were: events, or distinct groups where groups are known.
    """

    value: float
    lo: float
    hi: float
    survivors: int
    total: int

    @property
    def is_limit(self) -> bool:
        """Whether nothing survives, so that ``hi`` is a one-sided upper limit."""
        return self.survivors == 0


def efficiency(
    passed: NDArray[np.bool_],
    weight: NDArray[np.float64],
    group: NDArray[np.int64] | None = None,
    cl: float = CONFIDENCE_LEVEL,
) -> Efficiency:
    """Return the efficiency of a cut with its interval.

    Groups (or single events) are the independent trials ``g``, with weight ``W_g`` of which ``P_g`` passes.
    With ``e = sum P / sum W`` the Clopper-Pearson interval is that of ``e n`` out of ``n`` effective
    counts, where ``n`` is the smaller of the effective number of trials ``(sum W)^2 / sum W^2`` and the
    number of trials with the variance of the weighted efficiency, ``e (1 - e) (sum W)^2 / sum (P_g - e
    W_g)^2`` (for single events the variance of ROOT's ``TEfficiency`` with weights). With equal weights and
    no groups both are the number of events. A survivor of small weight never gives a better upper limit
    than no survivor at all.

    Parameters
    ----------
    passed
        bool ``[n]``: which events survive.
    weight
        float64 ``[n]``, not negative.
    group
        int64 ``[n]``: events with the same value are not independent.
    cl
        Confidence level; central with survivors, one-sided without.

    Raises
    ------
    InputError
        If the events have no weight.
    """
    if not weight.sum() > 0:
        raise InputError(
            f"no efficiency of {len(weight)} events with weight sum {weight.sum()}; give events of positive weight"
        )
    trial_weight, trial_passed = _trials(passed, weight, group)
    survivors = int(np.count_nonzero(trial_passed))
    if survivors == 0:
        return Efficiency(0.0, 0.0, zero_survivor_limit(trial_weight, cl), 0, len(trial_weight))
    total = trial_weight.sum()
    value = min(1.0, float(trial_passed.sum() / total))
    count = _effective_count(trial_weight, trial_passed, value)
    lo, hi = clopper_pearson(value * count, count, cl)
    floor = zero_survivor_limit(trial_weight, (1.0 + cl) / 2.0)
    return Efficiency(value, float(lo), max(float(hi), value, floor), survivors, len(trial_weight))


def _trials(
    passed: NDArray[np.bool_], weight: NDArray[np.float64], group: NDArray[np.int64] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weight and the passing weight of each independent trial of positive weight."""
    index = np.arange(len(weight)) if group is None else np.unique(group, return_inverse=True)[1]
    total = np.bincount(index, weight).astype(float)
    surviving = np.bincount(index, np.where(passed, weight, 0.0)).astype(float)
    return total[total > 0], surviving[total > 0]


def _effective_count(weight: NDArray[Any], passed: NDArray[Any], value: float) -> float:
    """Return the effective number of trials behind a weighted efficiency (see `efficiency`)."""
    total = weight.sum()
    trials = float(total**2 / np.sum(weight**2))
    spread = float(np.sum((passed - value * weight) ** 2))
    if spread == 0.0:
        return trials
    return min(trials, value * (1.0 - value) * float(total**2) / spread)
