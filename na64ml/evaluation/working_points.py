"""Score thresholds at stated signal efficiencies."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import InputError
from na64ml.evaluation.scored import ScoredEvents
from na64ml.selection.efficiency import Efficiency, efficiency
from na64ml.selection.intervals import CONFIDENCE_LEVEL

SIGNAL_EFFICIENCIES = (0.50, 0.80, 0.90, 0.95, 0.99)
"""Signal efficiencies of the standard working points."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WorkingPoint:
    """A score threshold: events with score >= ``threshold`` pass.

    Parameters
    ----------
    target
        The signal efficiency asked for.
    threshold
        Halfway between the scores of the last signal event that must pass and the next, or the lowest signal score
        where events without a score make it unreachable.
    signal_efficiency
        What the threshold reaches, of all signal given.
    """

    target: float
    threshold: float
    signal_efficiency: Efficiency

    @property
    def is_reached(self) -> bool:
        """Whether the signal efficiency asked for is reached."""
        return self.signal_efficiency.value >= self.target * (1.0 - 1e-9)


def working_point(signal: ScoredEvents, target: float, cl: float = CONFIDENCE_LEVEL) -> WorkingPoint:
    """Return the working point at one signal efficiency.

    Parameters
    ----------
    signal
        All generated signal events, also those without a score: they count as lost.
    target
        Signal efficiency asked for, in (0, 1].
    cl
        Confidence level of the interval.

    Raises
    ------
    InputError
        If no signal event has a finite score.
    """
    threshold = _threshold(signal.decision_score, signal.weight, target)
    reached = efficiency_above(signal, threshold, cl)
    point = WorkingPoint(target, threshold, reached)
    if not point.is_reached:
        _log.warning(
            "signal efficiency %g not reached: %d of %d signal events have no score; it is %.4g",
            target,
            np.count_nonzero(signal.status),
            len(signal),
            reached.value,
        )
    return point


def efficiency_above(events: ScoredEvents, threshold: float, cl: float = CONFIDENCE_LEVEL) -> Efficiency:
    """Return the efficiency of score >= ``threshold``; not scored is lost signal, surviving background.

    Raises
    ------
    InputError
        If the events have no weight.
    """
    return efficiency(events.decision_score >= threshold, events.weight, events.group, cl)


def working_points(
    scored: ScoredEvents, targets: Sequence[float] = SIGNAL_EFFICIENCIES, cl: float = CONFIDENCE_LEVEL
) -> tuple[WorkingPoint, ...]:
    """Return the working points at several signal efficiencies, from the signal of ``scored``.

    Raises
    ------
    InputError
        As `working_point`.
    """
    signal = scored.of_class(scored.signal)
    return tuple(working_point(signal, target, cl) for target in targets)


def _threshold(decision: NDArray[np.float64], weight: NDArray[np.float64], target: float) -> float:
    """Return a finite threshold whose weighted efficiency is at least ``target`` and as close to it as can be.

    It lies halfway to the next signal score, so that rounding in another runtime does not move an event across.
    """
    finite = np.isfinite(decision) & (weight > 0)
    if not finite.any():
        raise InputError(
            f"none of the {len(decision)} signal events has a finite score and positive weight; "
            "check the status and the weight of the events"
        )
    always = weight[decision == np.inf].sum()
    order = np.argsort(-decision[finite], kind="stable")
    above = always + np.cumsum(weight[finite][order])
    enough = above >= target * weight.sum() * (1.0 - 1e-12)
    chosen = int(np.argmax(enough)) if enough.any() else len(order) - 1
    scores = decision[finite][order]
    following = scores[chosen + 1] if chosen + 1 < len(scores) else scores[chosen]
    return float((scores[chosen] + following) / 2)
