"""Signal efficiency against dark-photon mass."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from na64ml.evaluation.figures.style import MARKERS, POINT_COLOURS, figure_style, new_figure
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
            value = np.array([item.value for item in values])
            below = value - np.array([item.lo for item in values])
            above = np.array([item.hi for item in values]) - value
            colour = POINT_COLOURS[i % len(POINT_COLOURS)]
            axes.errorbar(
                masses * 1.03 ** (i - (len(points) - 1) / 2),
                value,
                yerr=[below, above],
                marker=MARKERS[i % len(MARKERS)],
                color=colour,
                linewidth=1.0,
                elinewidth=1.2,
                label=f"{point.target:.3g}",
            )
            axes.axhline(point.target, color=colour, linestyle=":", linewidth=0.9)
        axes.set_xscale("log")
        axes.set_xlim(masses.min() / 1.6, masses.max() * 1.6)
        axes.set_ylim(0.0, 1.05)
        axes.set_xlabel("$m_{A'}$ [GeV]")
        axes.set_ylabel("signal efficiency")
        title = f"efficiency over all masses (dotted)   (bars: {cl:.0%} CL)"
        axes.legend(title=title, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=max(len(points), 1))
    return figure
