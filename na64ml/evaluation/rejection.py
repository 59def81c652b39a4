"""Background rejection at a working point."""

from dataclasses import dataclass

from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.working_points import efficiency_above
from na64ml.selection.efficiency import Efficiency
from na64ml.selection.intervals import CONFIDENCE_LEVEL


@dataclass(frozen=True)
class Rejection:
    """Background efficiency at a threshold, and its inverse.

    Parameters
    ----------
    background_efficiency
        Of all background events given; events without a score survive.
    """

    background_efficiency: Efficiency

    @property
    def is_limit(self) -> bool:
        """Whether no background survives, so that ``value`` is a one-sided lower limit."""
        return self.background_efficiency.is_limit

    @property
    def value(self) -> float:
        """1 / background efficiency; without survivors the lower limit. Always finite."""
        return self.lo if self.is_limit else 1.0 / self.background_efficiency.value

    @property
    def lo(self) -> float:
        """Lower end of the interval of the rejection, or the lower limit."""
        return 1.0 / self.background_efficiency.hi

    @property
    def hi(self) -> float | None:
        """Upper end of the interval of the rejection, None where it is unbounded."""
        lo = self.background_efficiency.lo
        return 1.0 / lo if lo > 0.0 else None


def rejection(background: ScoredEvents, threshold: float, cl: float = CONFIDENCE_LEVEL) -> Rejection:
    """Return the rejection of background events at a score threshold.

    Parameters
    ----------
    background
        All events of one background, also those without a score: they count as surviving.
    threshold
        Events with score >= ``threshold`` survive.
    cl
        Confidence level; central interval with survivors, one-sided limit without.

    Raises
    ------
    InputError
        If the events have no weight.
    """
    return Rejection(efficiency_above(background, threshold, cl))
