"""Working points in the form in which they are stored in a network file."""

from collections.abc import Sequence

from na64ml.evaluation.intervals import CONFIDENCE_LEVEL
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.working_points import SIGNAL_EFFICIENCIES, efficiency_above, working_points
from na64ml.inference.metadata import WorkingPoint


def stored_working_points(
    scored: ScoredEvents, targets: Sequence[float] = SIGNAL_EFFICIENCIES, cl: float = CONFIDENCE_LEVEL
) -> tuple[WorkingPoint, ...]:
    """Return the working points ``signal_50`` and so on, with the efficiency of each class."""
    points = []
    for point in working_points(scored, targets, cl):
        efficiencies = {
            name: efficiency_above(scored.of_class(name), point.threshold, cl)
            for name in scored.classes
            if scored.of_class(name).weight.sum() > 0
        }
        points.append(
            WorkingPoint(
                name=f"signal_{100 * point.target:g}",
                threshold=point.threshold,
                efficiency={name: (value.value, value.lo, value.hi) for name, value in efficiencies.items()},
                interval=f"{cl:.0%} Clopper-Pearson, effective counts for weighted events",
            )
        )
    return tuple(points)
