"""Draw the figures of the documentation from the output folder of ``na64ml demo``."""

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import uproot
from matplotlib.axes import Axes

from na64ml.evaluation.figures.style import class_colours, class_title, figure_style, new_figure
from na64ml.events.reader import EventReader
from na64ml.selection.mode import load_mode

IMAGES = Path(__file__).parent / "images"
FILE = "shipped:na64e_reference_b.root"
FLOWS = {
    "simple": "cuts alone",
    "simple_with_score": "cuts and score",
    "score_only": "trigger, score and energy box only",
}
SHADES = {"simple": 0.3, "simple_with_score": 1.0, "score_only": 0.65}
WORKING_POINT = "signal_90"
LEFT_EDGE = 0.3


def result_figure(demo: Path, output: Path) -> None:
    """Draw survivors of the cut flows beside the score of the same events."""
    with figure_style():
        figure = new_figure(12.5, 4.8)
        left, right = figure.subplots(1, 2)
        _draw_survivors(left, demo / "cutflow")
        points = json.loads((demo / "evaluation" / "working_points.json").read_text())["points"]
        cut = next(point["threshold"] for point in points if point["name"] == WORKING_POINT)
        _draw_scores(right, demo / "scores.root", cut)
        figure.savefig(output, dpi=110)


def _draw_survivors(axes: Axes, folder: Path) -> None:
    flows = {name: json.loads((folder / f"{name}.json").read_text())["rows"] for name in FLOWS}
    totals = {name: count["events"] for name, count in flows["simple"][0]["counts"].items()}
    colours = class_colours(list(totals))
    for level, (flow, title) in enumerate(FLOWS.items()):
        counts = np.array([flows[flow][-1]["counts"][name]["events"] for name in totals])
        places = np.arange(len(totals)) + 0.27 * (level - 1)
        shown = np.maximum(counts, LEFT_EDGE)
        axes.barh(places, shown, height=0.25, color=[colours[name] for name in totals], alpha=SHADES[flow])
        axes.barh(np.nan, np.nan, color="black", alpha=SHADES[flow], label=title)
        for place, count, width in zip(places, counts, shown, strict=True):
            axes.text(1.1 * width, place, f"{count}", va="center", fontsize=9)
    axes.set_xscale("log")
    axes.set_xlim(LEFT_EDGE, 2e3)
    axes.set_ylim(len(totals) - 0.5, -0.6)
    axes.set_yticks(
        range(len(totals)), [f"{class_title(name)} ({total})" for name, total in totals.items()], fontsize=11
    )
    axes.tick_params(axis="y", which="both", length=0)
    axes.set_xlabel("surviving simulated events (unweighted)")
    axes.legend(loc="lower right")


def _draw_scores(axes: Axes, file: Path, cut: float) -> None:
    events = EventReader("na64e_reference").read(FILE)
    mode = load_mode("na64e_invisible")
    label = mode.label(events)
    with uproot.open(file) as root:
        score = root["scores/score"].array(library="np")
    edges = np.linspace(np.nanmin(score), np.nanmax(score), 50)
    colours = class_colours(mode.classes)
    for index in (*range(1, len(mode.classes)), 0):
        name, chosen = mode.classes[index], label == index
        share = np.histogram(score[chosen], edges)[0] / chosen.sum()
        if name == mode.signal:
            axes.stairs(share, edges, fill=True, color=colours[name], alpha=0.2)
        axes.stairs(share, edges, color=colours[name], label=class_title(name), linewidth=1.5)
    axes.axvline(cut, color="0.3", linestyle=":")
    axes.annotate("cut", (cut, 1.0), xytext=(4, 0), textcoords="offset points", fontsize=10)
    axes.set_yscale("log")
    axes.set_ylim(1e-3, 3)
    axes.set_xlabel("score of the network")
    axes.set_ylabel("share of the class per bin")
    axes.legend(ncols=2, loc="upper left")


def main() -> None:
    """Draw all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("demo", type=Path, help="folder that 'na64ml demo' wrote")
    demo: Path = parser.parse_args().demo
    IMAGES.mkdir(exist_ok=True)
    result_figure(demo, IMAGES / "result.png")
    shutil.copy(demo / "evaluation" / "rejection.png", IMAGES / "rejection.png")
    display = min((demo / "display").glob("*.png"))
    shutil.copy(display, IMAGES / "event.png")


if __name__ == "__main__":
    main()
