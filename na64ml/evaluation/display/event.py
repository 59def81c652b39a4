"""The display of one event: every detector, the track and a summary."""

from math import ceil

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from na64ml.evaluation.display.bars import draw_bars
from na64ml.evaluation.display.cells import COLOUR_MAP, ENERGY_COLOURS, draw_segment
from na64ml.evaluation.display.energies import channel_energies
from na64ml.evaluation.display.tracks import draw_projection
from na64ml.evaluation.figures.style import class_title, figure_style, new_figure
from na64ml.evaluation.scored import STATUS
from na64ml.events.batch import UNKNOWN_PROCESS, EventBatch
from na64ml.setups.channels import AXIS_X, AXIS_Y
from na64ml.setups.detectors import SRD, Calorimeter, Counter
from na64ml.setups.setup import Setup

COLUMNS = 5


def display_event(
    batch: EventBatch,
    setup: Setup,
    index: int,
    *,
    score: float | None = None,
    status: int | None = None,
    truth: str | None = None,
) -> Figure:
    """Draw one event: calorimeter cells, counters, tracker hits with the extrapolated track, and a summary.

    Parameters
    ----------
    batch
        Events.
    setup
        Their setup; detectors that the events lack are drawn empty.
    index
        Which event of ``batch`` to draw.
    score
        Score of the event, if known.
    status
        Status of the scorer, an index of `na64ml.evaluation.scored.STATUS`, if known.
    truth
        Line about the truth. Default: the simulated process, if there is one.

    Raises
    ------
    IndexError
        If there is no such event.
    InputError
        If the events have channels that the setup has not.
    """
    event = batch.select(np.array([index]))
    calorimeters = [item for item in setup.detectors if isinstance(item, Calorimeter)]
    counters = [item for item in setup.detectors if isinstance(item, Counter | SRD)]
    n_panels = sum(len(item.segments) for item in calorimeters) + len(counters) + 1
    rows = ceil(n_panels / COLUMNS)
    with figure_style():
        figure = new_figure(2.7 * COLUMNS, 2.9 * rows + 2.8)
        parts = figure.subfigures(2, 1, squeeze=False, height_ratios=[2.9 * rows, 2.8])
        upper, lower = parts[:, 0]
        panels = upper.subplots(rows, COLUMNS, squeeze=False)
        free = iter(panels.ravel().tolist())
        for calorimeter in calorimeters:
            energies = channel_energies(event, calorimeter)
            for segment in range(len(calorimeter.segments)):
                impact = float(event.track[0, 3]), float(event.track[0, 4])
                draw_segment(next(free), calorimeter, segment, energies[segment], impact)
        for counter in counters:
            draw_bars(next(free), counter, channel_energies(event, counter))
        _write_summary(next(free), event, setup, score, status, truth)
        for unused in free:
            unused.set_axis_off()
        colours = ScalarMappable(ENERGY_COLOURS, COLOUR_MAP)
        bar = upper.colorbar(colours, ax=panels[:, -1], fraction=0.08, aspect=30)
        bar.ax.tick_params(labelsize=9)
        bar.set_label("cell energy [GeV]    (ring: impact point)", fontsize=10)
        for axes, axis in zip(lower.subplots(1, 2), (AXIS_X, AXIS_Y), strict=True):
            draw_projection(axes, event, setup, axis)
    return figure


def _write_summary(
    axes: Axes, event: EventBatch, setup: Setup, score: float | None, status: int | None, truth: str | None
) -> None:
    run, spill, number = event.ids[0].tolist()
    p, theta_x, theta_y, x, y, chi2 = event.track[0].tolist()
    process = int(event.process[0])
    if truth is None and process != UNKNOWN_PROCESS:
        truth = class_title(event.processes[process])
    lines = [
        f"run {run}  spill {spill}  event {number}",
        setup.name,
        f"{event.n_hits} hits",
        *(
            f"$E_{{{item.name}}}$ = {np.nansum(channel_energies(event, item)):.2f} GeV"
            for item in setup.detectors
            if isinstance(item, Calorimeter)
        ),
        f"track p = {p:.1f} GeV, chi2 = {chi2:.2g}",
        f"angle = ({1e3 * theta_x:.2f}, {1e3 * theta_y:.2f}) mrad",
        f"impact = ({x:.1f}, {y:.1f}) mm",
        *([f"truth: {truth}"] if truth is not None else []),
        *([f"score = {score:.3f}"] if score is not None else []),
        *([f"status: {STATUS[status]}"] if status is not None else []),
    ]
    axes.set_axis_off()
    axes.text(
        0.0,
        1.0,
        "\n".join(lines),
        transform=axes.transAxes,
        va="top",
        ha="left",
        fontsize=10,
        linespacing=1.5,
    )
