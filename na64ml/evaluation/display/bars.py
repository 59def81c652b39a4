"""Bars of counters and synchrotron-radiation modules."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from na64ml.setups.detectors import SRD, Counter

MAX_LABELS = 8


def draw_bars(axes: Axes, detector: Counter | SRD, energies: NDArray[np.float64]) -> None:
    """Draw the energy of each element in MeV.

    Parameters
    ----------
    axes
        Where to draw.
    detector
        The detector.
    energies
        float64 ``[n]`` in GeV; NaN in elements without a hit.
    """
    values = 1e3 * np.nan_to_num(energies)
    axes.bar(np.arange(len(values)), values, color="#3f90da", width=0.7)
    labels = [label.removeprefix(detector.name).strip("[]") for label in detector.channels.label]
    if len(labels) <= MAX_LABELS:
        axes.set_xticks(range(len(labels)), labels)
        for place, value in enumerate(values):
            if value > 0:
                axes.annotate(
                    f"{value:.3g}",
                    (place, value),
                    (0, 2),
                    textcoords="offset points",
                    ha="center",
                    va="bottom",
                    fontsize=8,
                )
    axes.xaxis.minorticks_off()
    axes.tick_params(axis="x", which="both", length=0)
    axes.tick_params(axis="both", labelsize=8)
    axes.set_xlim(-0.6, len(values) - 0.4)
    axes.set_ylim(min(0.0, 1.2 * values.min()), max(1.0, 1.25 * values.max()))
    axes.set_title(f"{detector.name}: {values.sum():.3g} MeV", fontsize=10)
