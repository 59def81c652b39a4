"""Signal efficiency against dark-photon mass."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from na64ml.evaluation.figures.efficiency import draw_efficiencies, finish
from na64ml.evaluation.figures.style import figure_style, new_figure
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.working_points import WorkingPoint, efficiency_above


def mass_figure(scored: ScoredEvents, points: Sequence[WorkingPoint], cl: float) -> Figure:
    """Draw the signal efficiency of each dark-photon mass at the common threshold of each working point.

    Parameters
    ----------
    scored
        Events, of which the signal of known mass is used.
    points
        Working points.
    cl
        Confidence level of the error bars.
    """
    masses = scored.masses
    with figure_style():
        figure = new_figure()
        axes = figure.subplots()
        for i, point in enumerate(points):
            values = [efficiency_above(scored.of_mass(mass), point.threshold, cl) for mass in masses]
            shift = 1.03 ** (i - (len(points) - 1) / 2)
            draw_efficiencies(axes, masses * shift, values, point, i)
        axes.set_xscale("log")
        axes.set_xlim(masses.min() / 1.6, masses.max() * 1.6)
        axes.set_xlabel("$m_{A'}$ [GeV]")
        finish(axes, len(points), f"efficiency over all masses (dotted)   (bars: {cl:.0%} CL)")
    return figure
