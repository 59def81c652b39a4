"""Distribution of the score in each class."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from na64ml.evaluation.figures.style import class_colours, class_title, figure_style, new_figure
from na64ml.evaluation.scored import SCORED, ScoredEvents
from na64ml.evaluation.working_points import WorkingPoint

BINS = 60


def score_figure(scored: ScoredEvents, points: Sequence[WorkingPoint]) -> Figure:
    """Draw the weighted score distribution of each class, normalised to all its events.

    Scores beyond the axis are in the first and last bin. Events without a score are not in the histograms;
    the legend gives their share.

    Parameters
    ----------
    scored
        Events of all classes.
    points
        Working points to mark.
    """
    colours = class_colours(scored.classes)
    finite = scored.score[np.isfinite(scored.score)]
    with figure_style():
        figure = new_figure()
        axes = figure.subplots()
        if len(finite):
            low, high = np.quantile(finite, [0.002, 0.998])
            margin = 0.05 * (high - low) + 1e-6
            edges = np.linspace(low - margin, high + margin, BINS + 1)
            for name in (*scored.backgrounds, scored.signal):
                _draw_class(axes, scored.of_class(name), name, edges, colours[name], name == scored.signal)
        axes.set_yscale("log")
        axes.set_xlabel("score")
        axes.set_ylabel("share of events per bin")
        axes.set_ylim(0.3 / max(np.bincount(scored.label)), 3.0)
        for level, point in enumerate(points):
            axes.axvline(point.threshold, color="0.35", linewidth=0.9, linestyle=":")
            axes.annotate(
                f"{point.target:.0%}",
                (point.threshold, 0.98 - 0.04 * level),
                xycoords=("data", "axes fraction"),
                ha="right",
                va="top",
                fontsize=9,
                color="0.25",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            )
        figure.legend(loc="outside upper center", ncols=2)
    return figure


def _draw_class(
    axes: Axes, events: ScoredEvents, name: str, edges: NDArray[np.float64], colour: str, is_signal: bool
) -> None:
    weight = events.weight / events.weight.sum()
    scored = events.status == SCORED
    missing = float(weight[~scored].sum())
    content, _ = np.histogram(np.clip(events.score[scored], edges[0], edges[-1]), edges, weights=weight[scored])
    label = class_title(name) + (f" ({missing:.2%} not scored)" if missing else "")
    if is_signal:
        axes.stairs(content, edges, fill=True, color=colour, alpha=0.2)
    axes.stairs(content, edges, color=colour, label=label, linewidth=2.2 if is_signal else 1.4)
