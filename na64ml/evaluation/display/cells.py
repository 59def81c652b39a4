"""Cell maps of calorimeter segments."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from na64ml.setups.detectors import Calorimeter

ENERGY_COLOURS = LogNorm(0.01, 100.0, clip=True)
"""Colour scale of cell energies in GeV."""

COLOUR_MAP = "YlGnBu"


def draw_segment(
    axes: Axes,
    calorimeter: Calorimeter,
    segment: int,
    energies: NDArray[np.float64],
    impact: tuple[float, float],
) -> None:
    """Draw one depth segment with the energy of each cell in GeV printed, and the impact point of the track.

    Parameters
    ----------
    axes
        Where to draw.
    calorimeter
        The calorimeter.
    segment
        Index of the segment.
    energies
        float64 ``[nx, ny]`` in GeV; NaN in cells without a hit.
    impact
        Extrapolated track at the ECAL front face in mm, NaN where not measured.
    """
    shape = (*calorimeter.shape, 3)
    centre = calorimeter.channels.position.reshape(shape)[segment]
    size = calorimeter.channels.size.reshape(shape)[segment]
    x, y = centre[:, 0, 0], centre[0, :, 1]
    dx, dy = size[0, 0, :2]
    axes.pcolormesh(
        np.append(x - dx / 2, x[-1] + dx / 2),
        np.append(y - dy / 2, y[-1] + dy / 2),
        np.ma.masked_invalid(energies).T,
        norm=ENERGY_COLOURS,
        cmap=COLOUR_MAP,
        edgecolors="0.8",
        linewidth=0.5,
    )
    font = 9 if len(x) <= 4 else 7
    for (ix, iy), energy in np.ndenumerate(energies):
        if np.isfinite(energy):
            dark = energy > 3.0
            axes.text(
                x[ix],
                y[iy] - 0.33 * dy,  # below the centre, where the ring is
                _energy_text(energy),
                ha="center",
                va="center",
                fontsize=font,
                color="white" if dark else "black",
            )
    if calorimeter.hole is not None:
        width, (cx, cy) = calorimeter.hole.value, calorimeter.segment_centre(segment)
        axes.add_patch(
            Rectangle((cx - width / 2, cy - width / 2), width, width, fill=False, edgecolor="0.3", linestyle="--")
        )
    axes.plot(*impact, marker="o", color="#bd1f01", markersize=9, markeredgewidth=1.6, fillstyle="none")
    axes.set_xlim(x[0] - dx / 2, x[-1] + dx / 2)
    axes.set_ylim(y[0] - dy / 2, y[-1] + dy / 2)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.minorticks_off()
    name = calorimeter.segments[segment].name
    title = name if name.startswith(calorimeter.name) else f"{calorimeter.name} {name}"
    axes.set_title(f"{title}: {np.nansum(energies):.2f} GeV", fontsize=10)


def _energy_text(energy: float) -> str:
    if energy >= 9.95:
        return f"{energy:.0f}"
    return f"{energy:.1f}" if energy >= 0.995 else f"{energy:.2f}".replace("0.", ".")
