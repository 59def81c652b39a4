"""Signal efficiency against ECAL energy, and how such curves are drawn."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from na64ml.evaluation.figures.style import MARKERS, POINT_COLOURS, figure_style, new_figure
from na64ml.evaluation.flatness import flatness_in_energy
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.working_points import WorkingPoint
from na64ml.selection.efficiency import Efficiency


def energy_figure(scored: ScoredEvents, points: Sequence[WorkingPoint], cl: float) -> Figure:
    """Draw the signal efficiency in bins of E_ECAL at the threshold of each working point.

    Parameters
    ----------
    scored
        Events, of which the signal is used.
    points
        Working points.
    cl
        Confidence level of the error bars.
    """
    with figure_style():
        figure = new_figure()
        axes = figure.subplots()
        for i, point in enumerate(points):
            found = flatness_in_energy(scored, point.threshold, cl=cl)
            lower, upper = np.array(found.lower), np.array(found.upper)
            shift = (i - (len(points) - 1) / 2) * (upper - lower) / 15
            draw_efficiencies(axes, (lower + upper) / 2 + shift, found.efficiency, point, i)
        for edge in (*lower, upper[-1]):
            axes.axvline(edge, color="0.85", linewidth=0.8, zorder=0)
        axes.margins(x=0.0)
        axes.set_xlabel("$E_{ECAL}$ [GeV] (bins with equal numbers of signal events)")
        finish(axes, len(points), f"efficiency over all energies (dotted)   (bars: {cl:.0%} CL)")
    return figure


def draw_efficiencies(
    axes: Axes, position: NDArray[np.float64], found: Sequence[Efficiency], point: WorkingPoint, number: int
) -> None:
    """Draw the efficiencies of the ``number``-th working point, with its overall efficiency as dotted line."""
    value = np.array([item.value for item in found])
    colour = POINT_COLOURS[number % len(POINT_COLOURS)]
    axes.errorbar(
        position,
        value,
        yerr=[value - np.array([item.lo for item in found]), np.array([item.hi for item in found]) - value],
        marker=MARKERS[number % len(MARKERS)],
        color=colour,
        linewidth=1.0,
        elinewidth=1.2,
        label=f"{point.target:.3g}",
    )
    axes.axhline(point.target, color=colour, linestyle=":", linewidth=0.9)


def finish(axes: Axes, n_points: int, title: str) -> None:
    """Set the scale of the efficiency and place the legend above the axes."""
    axes.set_ylim(0.0, 1.05)
    axes.set_ylabel("signal efficiency")
    axes.legend(title=title, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=max(n_points, 1))
