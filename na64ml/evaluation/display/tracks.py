"""Tracker hits and the extrapolated beam track, seen from the side."""

import numpy as np
from matplotlib.axes import Axes

from na64ml.events.batch import EventBatch
from na64ml.setups.channels import AXIS_X
from na64ml.setups.detectors import Tracker
from na64ml.setups.setup import Setup

HALF_RANGE = 60.0
"""Smallest half range of the transverse axis in mm."""

LEVEL_LABELS = 6
"""Up to so many planes have level labels, more have slanted ones."""


def draw_projection(axes: Axes, event: EventBatch, setup: Setup, axis: int) -> None:
    """Draw the tracker hits that measure one axis and the track, from plane to plane down to the target.

    Planes are drawn at equal distances, because some are centimetres and some are metres apart.

    Parameters
    ----------
    axes
        Where to draw.
    event
        A batch of one event.
    setup
        The setup of the event.
    axis
        `na64ml.setups.channels.AXIS_X` or ``AXIS_Y``.
    """
    column, name = (0, "x") if axis == AXIS_X else (1, "y")
    planes = sorted(
        (float(detector.channels.position[channel, 2]), detector.name, channel)
        for detector in setup.detectors
        if isinstance(detector, Tracker)
        for channel in np.flatnonzero(detector.channels.axis == axis).tolist()
    )
    reach = HALF_RANGE
    for place, (_, tracker, channel) in enumerate(planes):
        axes.axvline(place, color="0.8", linewidth=0.8, zorder=0)
        if tracker in event.detectors:
            mine = (event.detector == event.detector_index(tracker)) & (event.channel == channel)
            measured = event.hits[mine, column]
            axes.plot(np.full(len(measured), place), measured, "o", color="#0d0887", markersize=4)
            reach = max(reach, float(np.abs(measured).max(initial=0.0)))
    z = np.array([*(plane[0] for plane in planes), 0.0])
    start, slope = event.track[0, 3 + column], np.tan(event.track[0, 1 + column])
    axes.plot(np.arange(len(z)), start + slope * z, color="#bd1f01", linewidth=1.2, label="track")
    axes.plot(len(planes), start, "*", color="#bd1f01", markersize=11, label="impact point")
    axes.plot([], [], "o", color="#0d0887", markersize=4, label="hits")
    names = [setup.detector(tracker).channels.label[channel][:-1] for _, tracker, channel in planes]
    labels = [f"{plane}\n{at / 1e3:.1f}" for plane, at in zip([*names, setup.target], z, strict=True)]
    if len(planes) <= LEVEL_LABELS:
        axes.set_xticks(range(len(z)), labels)
    else:
        axes.set_xticks(range(len(z)), [label.replace("\n", " ") for label in labels], rotation=55, ha="right")
    axes.xaxis.minorticks_off()
    axes.tick_params(labelsize=8)
    axes.set_xlim(-0.5, len(z) - 0.5)
    axes.set_ylim(-1.45 * reach, 1.15 * reach)
    axes.set_xlabel("plane and z [m], not to scale", fontsize=10)
    axes.set_ylabel(f"{name} [mm]", fontsize=10)
    axes.legend(loc="lower left", ncols=3, fontsize=8)
