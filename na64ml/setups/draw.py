"""Drawing of a setup: the view from above along the beam, and the front of each calorimeter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from na64ml.setups.detectors import Calorimeter, Detector, Tracker

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    from na64ml.setups.conditions import Conditions, RunConditions
    from na64ml.setups.setup import Setup

_COLOURS = {"calorimeter": "#4477aa", "counter": "#228833", "tracker": "#aa3377", "srd": "#ccbb44"}
_LONGEST_GAP = 30.0  # in units of the schematic axis, sqrt(mm)
_TOGETHER = 100.0  # mm; counters closer than this along the beam share a box
_SHORTEST_STEP = 9.0  # room for one vertical label
_FRONT_VIEWS_PER_ROW = 4


def draw_setup(setup: Setup, conditions: Conditions | None = None) -> Figure:
    """Draw a setup.

    The upper panel shows the detectors from above, x against z. Its z axis is schematic: it grows like the
    square root of each length, long gaps are cut, and the ticks give the true z in metres. Below are the
    front views of the calorimeters with cells and beam hole and, where conditions are given, the impact cell
    and the beam spot (one sigma) of their first range.
    """
    from matplotlib.figure import Figure

    calorimeters = [detector for detector in setup.detectors if isinstance(detector, Calorimeter)]
    n_columns = min(len(calorimeters), _FRONT_VIEWS_PER_ROW)
    n_rows = -(-len(calorimeters) // n_columns)
    figure = Figure(figsize=(15, 5.5 + 4.5 * n_rows), layout="constrained")
    grid = figure.add_gridspec(1 + n_rows, n_columns, height_ratios=[1.15, *([1.0] * n_rows)])
    _draw_from_above(figure.add_subplot(grid[0, :]), setup)
    for i, calorimeter in enumerate(calorimeters):
        axes = figure.add_subplot(grid[1 + i // n_columns, i % n_columns])
        _draw_front(axes, calorimeter)
        if conditions is not None:
            _draw_impact(axes, setup, conditions.ranges[0], on_target=calorimeter.name == setup.target)
    return figure


def _draw_from_above(axes: Axes, setup: Setup) -> None:
    from matplotlib.lines import Line2D

    parts = [part for detector in setup.detectors for part in _parts(detector)]
    knots = np.unique([face for _, _, low, high in parts for face in (low[2], high[2])])
    steps = np.clip(np.sqrt(np.diff(knots)), None, _LONGEST_GAP)
    drawn = np.concatenate([[0.0], np.cumsum(steps)])
    widest = max(abs(edge) for _, _, low, high in parts for edge in (low[0], high[0]))
    label_x = np.interp([(low[2] + high[2]) / 2 for _, _, low, high in parts], knots, drawn)
    label_at = dict(zip(np.argsort(label_x, kind="stable"), _spread(np.sort(label_x)), strict=True))
    for i, (label, kind, low, high) in enumerate(parts):
        left, right = np.interp([low[2], high[2]], knots, drawn)
        middle, width = (
            np.array([left + right, low[0] + high[0]]) / 2,
            np.array([right - left, high[0] - low[0]]),
        )
        edge, line = ("black", 0.6) if right > left else (_COLOURS[kind], 1.5)
        style = {"facecolor": _COLOURS[kind], "edgecolor": edge, "linewidth": line, "alpha": 0.8}
        axes.add_patch(_box(middle, width, **style))
        axes.annotate(
            label,
            xy=(float(middle[0]), high[0]),
            xytext=(label_at[i], 1.25 * widest),
            rotation=90,
            ha="center",
            va="bottom",
            fontsize=9,
            arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.6},
        )
    axes.axhline(0.0, color="black", linewidth=0.8, linestyle="--")
    shown = _far_enough(drawn)
    axes.set_xticks(drawn[shown], [f"{knot / 1000:.3g}" for knot in knots[shown]], rotation=90, fontsize=8)
    edges = [*drawn, *label_at.values()]
    axes.set(
        xlim=(min(edges) - 8, max(edges) + 8),
        ylim=(-1.3 * widest, 2.2 * widest),
        xlabel="z [m], schematic scale",
        ylabel="x [mm]",
        title=f"{setup.name}: {setup.beam.energy.value:g} GeV {setup.beam.particle}, from above",
    )
    kinds = list(dict.fromkeys(detector.kind for detector in setup.detectors))
    handles = [Line2D([], [], color=_COLOURS[kind], linewidth=6, label=kind) for kind in kinds]
    handles.append(Line2D([], [], color="black", linestyle="--", linewidth=0.8, label="beam axis"))
    axes.legend(handles=handles, loc="lower left", ncols=len(handles), fontsize=8)


def _draw_front(axes: Axes, calorimeter: Calorimeter) -> None:
    _, nx, ny = calorimeter.shape
    front = slice(0, nx * ny)
    position, size = calorimeter.channels.position[front, :2], calorimeter.channels.size[front, :2]
    for (ix, iy), middle, width in zip(np.ndindex(nx, ny), position, size, strict=True):
        axes.add_patch(_box(middle, width, facecolor="#dde6f0", edgecolor="black", linewidth=0.6))
        corner = middle + np.array([-0.46, 0.44]) * width
        axes.annotate(f"{ix},{iy}", corner, ha="left", va="top", fontsize=7, color="0.25")
    if calorimeter.hole is not None:
        hole = np.full(2, calorimeter.hole.value)
        axes.add_patch(_box(np.array(calorimeter.centre.value), hole, facecolor="white", edgecolor="black"))
    elsewhere = [segment.name for segment in calorimeter.segments if segment.centre is not None]
    note = f"\n(without {', '.join(elsewhere)})" if elsewhere else ""
    title = f"{calorimeter.name}, {nx} x {ny} cells{note}"
    axes.set(title=title, xlabel="x [mm]", ylabel="y [mm]", aspect="equal")
    axes.autoscale_view()


def _draw_impact(axes: Axes, setup: Setup, conditions: RunConditions, on_target: bool) -> None:
    from matplotlib.patches import Ellipse

    if on_target:
        middle = np.array(setup.cell_centre(conditions.impact_cell.value))
        width = np.array(setup.target_calorimeter.cell_size.value)
        axes.add_patch(_box(middle, width, facecolor="#ee6677", alpha=0.8))
    diameters = 2 * setup.beam.sigma_x.value, 2 * setup.beam.sigma_y.value
    axes.add_patch(Ellipse(conditions.impact_point(setup), *diameters, fill=False, linewidth=1.2))


def _box(middle: NDArray[np.float64], width: NDArray[np.float64], **style: Any) -> Rectangle:
    from matplotlib.patches import Rectangle

    (x, y), (dx, dy) = (middle - width / 2).tolist(), width.tolist()
    return Rectangle((x, y), dx, dy, **style)


Part = tuple[str, str, NDArray[np.float64], NDArray[np.float64]]
"""Label, kind, low corner and high corner of a box, in mm."""


def _parts(detector: Detector) -> list[Part]:
    """Group the channels of a detector into the boxes that are drawn and labelled."""
    channels = detector.channels
    if isinstance(detector, Calorimeter):
        group = channels.segment
        labels = [
            name if name.startswith(detector.name) else f"{detector.name} {name}"
            for name in (segment.name for segment in detector.segments)
        ]
    elif isinstance(detector, Tracker):
        group = channels.segment
        labels = [plane.name for plane in detector.planes]
    else:
        group = _close_in_z(channels.position[:, 2])
        labels = [_common_label(detector.name, channels.label, group == i) for i in range(group.max() + 1)]
    low, high = channels.position - channels.size / 2, channels.position + channels.size / 2
    return [
        (label, detector.kind, low[group == i].min(axis=0), high[group == i].max(axis=0))
        for i, label in enumerate(labels)
    ]


def _close_in_z(z: NDArray[np.float64]) -> NDArray[np.int16]:
    """Return a group number for each element; neighbours in a group are within `_TOGETHER` along the beam."""
    order = np.argsort(z, kind="stable")
    group = np.zeros(len(z), dtype=np.int16)
    group[order[1:]] = np.cumsum(np.diff(z[order]) > _TOGETHER)
    return group


def _common_label(name: str, labels: tuple[str, ...], members: NDArray[np.bool_]) -> str:
    """Return the label of a lone element, or the name of the detector for several."""
    rows = np.flatnonzero(members)
    return labels[rows[0]] if len(rows) == 1 else name


def _spread(sorted_x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Move sorted label positions apart until neighbours are `_SHORTEST_STEP` from each other."""
    step = _SHORTEST_STEP * np.arange(len(sorted_x))
    pushed_right = np.maximum.accumulate(sorted_x - step) + step
    pushed_left = np.minimum.accumulate((sorted_x - step)[::-1])[::-1] + step
    middle: NDArray[np.float64] = (pushed_right + pushed_left) / 2
    return middle


def _far_enough(drawn: NDArray[np.float64]) -> list[int]:
    """Return the ticks that leave room for their labels."""
    shown = [0]
    for i in range(1, len(drawn)):
        if drawn[i] - drawn[shown[-1]] >= _SHORTEST_STEP / 2:
            shown.append(i)
    return shown
