"""Confusion matrix."""

import numpy as np
from matplotlib.figure import Figure

from na64ml.evaluation.confusion import ConfusionMatrix
from na64ml.evaluation.figures.style import class_title, figure_style, new_figure


def confusion_figure(matrix: ConfusionMatrix) -> Figure:
    """Draw the share of each true class (row) in each most probable class (column)."""
    fraction = matrix.fraction
    rows = [class_title(name) for name in matrix.classes]
    with figure_style():
        figure = new_figure(2.6 + 0.85 * len(rows), 2.2 + 0.62 * len(rows))
        axes = figure.subplots()
        image = axes.imshow(fraction, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
        for (row, column), value in np.ndenumerate(fraction):
            if value > 0:
                text = f"{value:.3f}" if value >= 0.0005 else f"{value:.0e}"
                axes.text(
                    column,
                    row,
                    text,
                    ha="center",
                    va="center",
                    fontsize=9,
                    color="white" if value > 0.6 else "black",
                )
        axes.set_xticks(range(len(rows) + 1), [*rows, "not scored"], rotation=40, ha="right")
        axes.set_yticks(range(len(rows)), rows)
        axes.tick_params(which="both", length=0)
        axes.minorticks_off()
        axes.set_xlabel("most probable class")
        axes.set_ylabel("true class")
        figure.colorbar(image, ax=axes, label="share of the true class", pad=0.02)
    return figure
