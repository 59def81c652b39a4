"""Rejection of each background at the working points."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from na64ml.evaluation.figures.style import (
    MARKERS,
    POINT_COLOURS,
    class_title,
    figure_style,
    new_figure,
)
from na64ml.evaluation.rejection import Rejection


def rejection_figure(rejections: Mapping[str, Sequence[Rejection]], targets: Sequence[float], cl: float) -> Figure:
    """Draw the rejection of each background at each working point.

    Where no background survives, an open marker with an arrow is the lower limit.

    Parameters
    ----------
    rejections
        Background class to its rejection at each of ``targets``.
    targets
        Signal efficiencies of the working points.
    cl
        Confidence level of bars and limits.
    """
    offsets = np.linspace(-0.3, 0.3, len(targets)) if len(targets) > 1 else np.zeros(1)
    with figure_style():
        figure = new_figure(8.6, 5.6)
        axes = figure.subplots()
        axes.set_yscale("log")
        for place, values in enumerate(rejections.values()):
            if place % 2:
                axes.axvspan(place - 0.5, place + 0.5, color="0.95", linewidth=0)
            for i, item in enumerate(values):
                x, colour = place + offsets[i], POINT_COLOURS[i % len(POINT_COLOURS)]
                hi = item.value if item.hi is None else item.hi
                axes.errorbar(
                    x,
                    item.value,
                    yerr=None if item.is_limit else [[item.value - item.lo], [hi - item.value]],
                    marker=MARKERS[i % len(MARKERS)],
                    color=colour,
                    markerfacecolor="white" if item.is_limit else colour,
                    linestyle="none",
                    elinewidth=1.2,
                )
                if item.is_limit:
                    axes.annotate(
                        "",
                        (x, item.value * 2.2),
                        (x, item.value * 1.08),
                        arrowprops={"arrowstyle": "-|>", "color": colour, "shrinkA": 2, "shrinkB": 0},
                    )
        largest = max((item.value for values in rejections.values() for item in values), default=1.0)
        axes.set_ylim(0.8, largest * 5.0)
        axes.set_xlim(-0.5, len(rejections) - 0.5)
        axes.set_xticks(range(len(rejections)), [class_title(name).replace(" ", "\n") for name in rejections])
        axes.tick_params(axis="x", which="both", length=0, labelsize=10)
        axes.xaxis.minorticks_off()
        axes.set_ylabel("background rejection  1 / efficiency")
        handles = [
            Line2D(
                [],
                [],
                marker=MARKERS[i % len(MARKERS)],
                color=POINT_COLOURS[i % len(POINT_COLOURS)],
                linestyle="none",
                label=f"{target:.3g}",
            )
            for i, target in enumerate(targets)
        ]
        title = f"signal efficiency   (bars and limits: {cl:.0%} CL; open with arrow: no survivor)"
        axes.legend(handles=handles, title=title, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(targets))
    return figure
