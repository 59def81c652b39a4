"""Efficiency of a cut on weighted, possibly correlated events."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import InputError
from na64ml.selection.independent import trial_of_event
from na64ml.selection.intervals import CONFIDENCE_LEVEL, clopper_pearson, zero_survivor_limit

_NO_LOWER_BOUND = 1e-15
"""Lower limits below this come from fractions of an effective event and bound nothing: they are set to 0."""


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


@dataclass(frozen=True)
class Trials:
    """Sums over independent trials, from which the interval of an efficiency follows.

    A trial ``g`` is an event or a group of correlated events, with weight ``W_g`` of which ``P_g`` passes.

    Parameters
    ----------
    total, survivors
        Number of trials and of those of which something passes.
    weight, squares, largest
        Sum of ``W_g``, sum of ``W_g^2`` and the largest ``W_g``.
    passed, passed_squares
        Sum of ``P_g`` and sum of ``P_g^2``.
    failed_squares, mixed
        Sum of ``(W_g - P_g)^2`` and of ``P_g (W_g - P_g)``; the latter is 0 for single events.
    """

    total: int
    survivors: int
    weight: float
    squares: float
    largest: float
    passed: float
    passed_squares: float
    failed_squares: float
    mixed: float = 0.0

    def efficiency(self, cl: float = CONFIDENCE_LEVEL) -> Efficiency:
        """Return the efficiency with its interval.

        With ``e = sum P / sum W`` the Clopper-Pearson interval is that of ``e n`` out of ``n`` effective
        counts, where ``n`` is the smaller of the effective number of trials ``(sum W)^2 / sum W^2`` and the
        number of trials with the variance of the weighted efficiency, ``e (1 - e) (sum W)^2 / sum (P_g - e
        W_g)^2`` (for single events the variance of ROOT's ``TEfficiency`` with weights). With equal weights
        and no groups both are the number of events. A survivor of small weight never gives a better upper
        limit than no survivor at all.

        Raises
        ------
        InputError
            If the trials have no weight.
        """
        if not self.weight > 0:
            raise InputError(
                f"no efficiency of {self.total} events with weight sum {self.weight}; give events of positive weight"
            )
        if self.survivors == 0:
            return Efficiency(0.0, 0.0, self._no_survivor(cl), 0, self.total)
        value = min(1.0, self.passed / self.weight)
        count = self._effective_count(value)
        lo, hi = map(float, clopper_pearson(value * count, count, cl))
        upper = max(hi, value, self._no_survivor((1.0 + cl) / 2.0))
        return Efficiency(value, lo if lo > _NO_LOWER_BOUND else 0.0, upper, self.survivors, self.total)

    def _no_survivor(self, cl: float) -> float:
        return zero_survivor_limit(self.weight, self.squares, self.largest, cl)

    def _effective_count(self, value: float) -> float:
        trials = self.weight**2 / self.squares
        fails = 1.0 - value
        spread = fails**2 * self.passed_squares - 2 * value * fails * self.mixed + value**2 * self.failed_squares
        if spread <= 0.0 or fails <= 0.0:
            return trials
        return min(trials, value * fails * self.weight**2 / spread)


def efficiency(
    passed: NDArray[np.bool_],
    weight: NDArray[np.float64],
    group: NDArray[np.int64] | None = None,
    cl: float = CONFIDENCE_LEVEL,
) -> Efficiency:
    """Return the efficiency of a cut with its interval, see `Trials.efficiency`.

    Parameters
    ----------
    passed
        bool ``[n]``: which events survive.
    weight
        float64 ``[n]``, not negative.
    group
        int64 ``[n]``: events with the same value are not independent, unless it is negative.
    cl
        Confidence level; central with survivors, one-sided without.

    Raises
    ------
    InputError
        If the events have no weight.
    """
    index = trial_of_event(len(weight), group)
    surviving = np.bincount(index, np.where(passed, weight, 0.0)).astype(float)
    failing = np.bincount(index, np.where(passed, 0.0, weight)).astype(float)
    total = surviving + failing
    trials = Trials(
        total=int(np.count_nonzero(total)),
        survivors=int(np.count_nonzero(surviving)),
        weight=float(total.sum()),
        squares=float(total @ total),
        largest=float(total.max(initial=0.0)),
        passed=float(surviving.sum()),
        passed_squares=float(surviving @ surviving),
        failed_squares=float(failing @ failing),
        mixed=float(surviving @ failing),
    )
    return trials.efficiency(cl)
