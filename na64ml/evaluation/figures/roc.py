"""ROC curves: rejection of each background against signal efficiency."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from na64ml.evaluation.figures.style import class_colours, class_title, figure_style, new_figure
from na64ml.evaluation.roc import RocCurve


def roc_figure(curves: Sequence[RocCurve], cl: float) -> Figure:
    """Draw rejection against signal efficiency, one curve with its band per background.

    Where no background survives the lower limit is drawn, dashed and without a band.

    Parameters
    ----------
    curves
        What `na64ml.evaluation.roc.roc_curves` returns.
    cl
        Confidence level of bands and limits, for the legend.
    """
    colours = class_colours([curve.background for curve in curves])
    with figure_style():
        figure = new_figure()
        axes = figure.subplots()
        for i, curve in enumerate(curves):
            dashes = (4.0 * (i % 3), (4.0, 8.0))  # equal limits interleave
            colour, x = colours[curve.background], curve.signal_efficiency
            value = np.array([item.value for item in curve.rejection])
            limit = np.array([item.is_limit for item in curve.rejection])
            lo = np.array([item.lo for item in curve.rejection])
            hi = np.array([np.inf if item.hi is None else item.hi for item in curve.rejection])
            measured = np.where(limit, np.nan, value)
            axes.plot(x, measured, color=colour, label=class_title(curve.background))
            axes.plot(x, np.where(limit, value, np.nan), color=colour, linestyle=dashes)
            axes.fill_between(x, lo, np.minimum(hi, 1e12), where=~limit, color=colour, alpha=0.15, linewidth=0)
        drawn = [item.value for curve in curves for item in curve.rejection]
        axes.set_yscale("log")
        axes.set_ylim(0.8, 4.0 * max(drawn, default=1.0))
        axes.set_xlim(0.0, 1.0)
        axes.set_xlabel("signal efficiency")
        axes.set_ylabel("background rejection  1 / efficiency")
        axes.plot([], [], color="black", linestyle=(0, (4, 2)), label=f"no survivor: {cl:.0%} CL lower limit")
        figure.legend(loc="outside upper center", ncols=3, title=f"bands: {cl:.0%} CL")
    return figure
