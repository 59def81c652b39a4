"""ROC curves: one background class against the signal."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from na64ml.evaluation.bootstrap import bootstrap_interval
from na64ml.evaluation.rejection import Rejection, rejection
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.working_points import working_points
from na64ml.selection.intervals import CONFIDENCE_LEVEL

GRID = tuple(np.round(np.linspace(0.01, 0.99, 99), 2).tolist())
"""Signal efficiencies at which a ROC curve is evaluated."""


@dataclass(frozen=True, eq=False)
class RocCurve:
    """Rejection of one background as a function of the signal efficiency.

    Parameters
    ----------
    background
        Name of the background class.
    signal_efficiency
        float64 ``[m]``, rising; what is reached, of all signal.
    rejection
        The rejection at each of them, ``[m]``.
    """

    background: str
    signal_efficiency: NDArray[np.float64]
    rejection: tuple[Rejection, ...]


def roc_curves(scored: ScoredEvents, cl: float = CONFIDENCE_LEVEL) -> tuple[RocCurve, ...]:
    """Return one ROC curve per background class that has events, at the signal efficiencies of `GRID`.

    Raises
    ------
    InputError
        If no signal event has a finite score.
    """
    points = {point.threshold: point for point in working_points(scored, GRID, cl)}
    reached = np.array([point.signal_efficiency.value for point in points.values()])
    return tuple(
        RocCurve(name, reached, tuple(rejection(events, threshold, cl) for threshold in points))
        for name, events in ((name, scored.of_class(name)) for name in scored.backgrounds)
    )


def auc(scored: ScoredEvents, background: str) -> Callable[[NDArray[np.float64]], float]:
    """Return the area under the ROC curve of one background as a function of event multiplicities.

    The area is the probability that signal has the higher score, ties counting half (Mann-Whitney). Events
    without a score are lost signal and surviving background.

    Parameters
    ----------
    scored
        Events of all classes.
    background
        Name of the background class.

    Returns
    -------
    function
        Takes the multiplicities ``[n]`` of the events of ``scored`` (ones for the sample itself).
    """
    decision = scored.decision_score
    signal = np.flatnonzero(scored.label == 0)
    other = np.flatnonzero(scored.label == scored.classes.index(background))
    other = other[np.argsort(decision[other], kind="stable")]
    below = np.searchsorted(decision[other], decision[signal], side="left")
    not_above = np.searchsorted(decision[other], decision[signal], side="right")

    def area(counts: NDArray[np.float64]) -> float:
        weight = scored.weight * counts
        rising = np.concatenate([[0.0], np.cumsum(weight[other])])
        pairs = weight[signal].sum() * rising[-1]
        won = float(np.sum(weight[signal] * (rising[below] + rising[not_above])) / 2.0)
        return won / pairs if pairs > 0 else 0.5

    return area


def auc_with_interval(
    scored: ScoredEvents, background: str, *, seed: int = 0, cl: float = CONFIDENCE_LEVEL
) -> tuple[float, float, float]:
    """Return the area under the ROC curve and the ends of its bootstrap interval."""
    scored = scored.select(np.isin(scored.label, (0, scored.classes.index(background))))
    area = auc(scored, background)
    lo, hi = bootstrap_interval(area, len(scored), group=scored.group, seed=seed, cl=cl)
    return area(np.ones(len(scored))), lo, hi
