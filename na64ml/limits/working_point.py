"""The score threshold that gives the best expected limit."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from pydantic import Field

from na64ml.errors import ConfigError, InputError
from na64ml.evaluation.delivered import WorkingPointFile
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.working_points import efficiency_above, working_point
from na64ml.inference.metadata import WorkingPoint
from na64ml.limits.statistics.counting import Channel
from na64ml.limits.statistics.exact import ExactCounting
from na64ml.selection.intervals import CONFIDENCE_LEVEL
from na64ml.setups.sourced import NonNegative
from na64ml.yaml_files import StrictModel

TARGETS = (*np.arange(0.30, 0.99, 0.02).round(2).tolist(), 0.99, 0.995, 0.999)
"""Signal efficiencies in the box at which thresholds are tried."""


class WorkingPointChoice(StrictModel):
    """How a threshold is chosen.

    Parameters
    ----------
    evaluation
        Folder that ``na64ml evaluate`` wrote, with ``scored.npz`` and ``working_points.json``.
    expected
        Class to events expected in the box before the score, of the whole exposure.
    ecal_below, hcal_below
        The box in GeV.
    name
        Name of the new working point.
    """

    evaluation: Path
    expected: dict[str, NonNegative] = Field(min_length=1)
    ecal_below: float = Field(gt=0)
    hcal_below: float = Field(default=1.0, gt=0)
    name: str = "best_limit"


@dataclass(frozen=True)
class ScanPoint:
    """What one threshold gives.

    Parameters
    ----------
    threshold
        Score that passes.
    signal_efficiency
        Of all signal: in the box and above the threshold.
    background, is_limit
        Expected events above the threshold, and whether a class without survivors entered with its upper limit.
    limit_events
        Average CLs limit on signal events over the outcomes without signal.
    coupling
        Expected limit on the coupling over that of an efficiency of 1 without background.
    """

    threshold: float
    signal_efficiency: float
    background: float
    is_limit: bool
    limit_events: float
    coupling: float


def scan(choice: WorkingPointChoice, cl: float = CONFIDENCE_LEVEL) -> tuple[ScanPoint, ...]:
    """Return the scan of thresholds.

    The average limit is used and not the median, which is the same for all backgrounds below 0.69 events.

    Raises
    ------
    ConfigError
        If ``expected`` names a class that the events do not have.
    InputError
        If a class has no events in the box.
    """
    scored = ScoredEvents.read(choice.evaluation / "scored.npz")
    inside = scored.select(scored.in_box(choice.ecal_below, choice.hcal_below))
    for name in choice.expected:
        if name not in scored.classes[1:]:
            raise ConfigError(
                f"key 'working_point.expected': no background class '{name}'; known are {', '.join(scored.classes[1:])}"
            )
        if not inside.of_class(name).weight.sum() > 0:
            raise InputError(
                f"{choice.evaluation / 'scored.npz'}: no {name} events in the box (E_ECAL < {choice.ecal_below:g} GeV, "
                f"E_HCAL < {choice.hcal_below:g} GeV): its rejection there is not known; simulate more"
            )
    signal = scored.of_class(scored.signal)
    in_box = inside.of_class(scored.signal)
    cap = float(in_box.weight.sum() / signal.weight.sum())
    free = _average_limit(0.0, 0.0, cl)
    thresholds = {working_point(in_box, target, cl).threshold for target in TARGETS}
    return tuple(_scan_point(choice, inside, in_box, cap, free, one, cl) for one in sorted(thresholds))


def best(points: tuple[ScanPoint, ...]) -> ScanPoint:
    """Return the point with the strongest expected limit."""
    return min(points, key=lambda point: point.coupling)


def to_file(choice: WorkingPointChoice, chosen: ScanPoint, cl: float = CONFIDENCE_LEVEL) -> WorkingPointFile:
    """Return the chosen point in the form that ``na64ml export --working-points`` reads, tied to the same network."""
    known = WorkingPointFile.read(choice.evaluation / "working_points.json")
    scored = ScoredEvents.read(choice.evaluation / "scored.npz")
    if not known.weighted:
        scored = replace(scored, weight=np.ones(len(scored)))
    used = [name for name in scored.classes if scored.of_class(name).weight.sum() > 0]
    found = {name: efficiency_above(scored.of_class(name), chosen.threshold, cl) for name in used}
    point = WorkingPoint(
        name=choice.name,
        threshold=chosen.threshold,
        efficiency={name: (value.value, value.lo, value.hi) for name, value in found.items()},
        interval=f"{cl:.0%} Clopper-Pearson, effective counts for weighted events",
        weighted=known.weighted,
    )
    return known.model_copy(update={"points": (*known.points, point), "n_events": len(scored)})


def _scan_point(
    choice: WorkingPointChoice,
    inside: ScoredEvents,
    in_box: ScoredEvents,
    cap: float,
    free: float,
    threshold: float,
    cl: float,
) -> ScanPoint:
    background, squares, limited = 0.0, 0.0, False
    for name, expected in choice.expected.items():
        passing = efficiency_above(inside.of_class(name), threshold, cl)
        limited |= passing.is_limit
        background += expected.value * (passing.hi if passing.is_limit else passing.value)
        squares += (expected.value * (passing.hi - passing.lo) / 2) ** 2
    efficiency = cap * efficiency_above(in_box, threshold, cl).value
    events = _average_limit(background, float(np.sqrt(squares)), cl)
    coupling = float(np.sqrt(events / efficiency / free)) if efficiency > 0 else float("inf")
    return ScanPoint(threshold, efficiency, background, limited, events, coupling)


def _average_limit(background: float, error: float, cl: float) -> float:
    experiment = ExactCounting.of((Channel("scan", 1.0, background, error),), 0.0)
    limits, probability = experiment.limits_without_signal(cl)
    return float(limits @ probability / probability.sum())
