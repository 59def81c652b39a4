"""The standard figures of an evaluation."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from na64ml.evaluation.confusion import confusion_matrix
from na64ml.evaluation.figures.confusion import confusion_figure
from na64ml.evaluation.figures.efficiency import energy_figure
from na64ml.evaluation.figures.energy_plane import EnergyRegions, energy_plane_figure
from na64ml.evaluation.figures.mass import mass_figure
from na64ml.evaluation.figures.rejection import rejection_figure
from na64ml.evaluation.figures.roc import roc_figure
from na64ml.evaluation.figures.scores import score_figure
from na64ml.evaluation.rejection import rejection
from na64ml.evaluation.roc import roc_curves
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.working_points import SIGNAL_EFFICIENCIES, working_points
from na64ml.selection.intervals import CONFIDENCE_LEVEL


def standard_figures(
    scored: ScoredEvents,
    targets: Sequence[float] = SIGNAL_EFFICIENCIES,
    cl: float = CONFIDENCE_LEVEL,
    regions: EnergyRegions | None = None,
) -> dict[str, Figure]:
    """Return all figures of an evaluation by name, ready for `save_figures`.

    ``rejection`` and ``roc`` are there only if there is background, ``signal_efficiency_by_mass`` only if the
    signal has known masses.

    Parameters
    ----------
    scored
        Events of all classes.
    targets
        Signal efficiencies of the working points.
    cl
        Confidence level of intervals and limits.
    regions
        Regions of the energy plane. Default: NA64e invisible.

    Raises
    ------
    InputError
        If no signal event has a finite score.
    """
    points = working_points(scored, targets, cl)
    backgrounds = {name: scored.of_class(name) for name in scored.backgrounds}
    rejections = {
        name: [rejection(events, point.threshold, cl) for point in points] for name, events in backgrounds.items()
    }
    figures = {}
    if backgrounds:
        figures["rejection"] = rejection_figure(rejections, targets, cl)
        figures["roc"] = roc_figure(roc_curves(scored, cl), cl)
    figures |= {
        "score": score_figure(scored, points),
        "energy_plane": energy_plane_figure(scored, points, regions),
        "confusion": confusion_figure(confusion_matrix(scored)),
        "signal_efficiency_by_energy": energy_figure(scored, points, cl),
    }
    if len(scored.masses):
        figures["signal_efficiency_by_mass"] = mass_figure(scored, points, cl)
    return figures
