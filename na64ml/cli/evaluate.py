"""``na64ml evaluate``: background rejection with intervals."""

import argparse
import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from na64ml.cli.models import open_model
from na64ml.cli.options import add_files, add_mode, event_progress, make_reader
from na64ml.evaluation.collect import collect
from na64ml.evaluation.delivered import stored_working_points
from na64ml.evaluation.figures import save_figures, standard_figures
from na64ml.evaluation.figures.energy_plane import EnergyRegions
from na64ml.evaluation.metrics import evaluate
from na64ml.evaluation.report import write_report
from na64ml.evaluation.summary import evaluation_sections
from na64ml.selection.mode import load_mode

logger = logging.getLogger(__name__)

METRICS, SCORED, WORKING_POINTS = "metrics.json", "scored.npz", "working_points.json"
"""Files written to the output folder, beside the figures and the report."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_files(parser)
    add_mode(parser)
    parser.add_argument("--model", type=Path, required=True, help="checkpoint (.ckpt) or exported network (.onnx)")
    parser.add_argument("--out", type=Path, required=True, help="folder for metrics, figures and report")
    parser.add_argument(
        "--events",
        choices=["test", "all"],
        default="test",
        help="events of the test split only (default), or all events, for files that were not used in training",
    )
    parser.add_argument(
        "--unweighted",
        action="store_true",
        help="count all events alike, to see rare corners whose weights are tiny (a decay that fakes the SRD)",
    )
    parser.add_argument(
        "--root", type=Path, default=Path("runs"), help="run root; results are added to the tracking run"
    )


def run(arguments: argparse.Namespace) -> None:
    """Evaluate a network."""
    model = open_model(arguments.model)
    reader = make_reader(arguments, model.layout)
    model.check(reader.contract, reader.conditions.hash)
    mode = load_mode(arguments.mode or model.mode)
    keep = (lambda events: model.split.assign(events.ids)["test"]) if arguments.events == "test" else None
    total = reader.count(arguments.files)
    with event_progress("scoring", total) as progress:
        scored = collect(reader, arguments.files, mode, model.score, keep, progress)
    if arguments.unweighted:
        scored = replace(scored, weight=np.ones(len(scored)))
    logger.info("evaluating %s of %s events (%s)", f"{len(scored):,}", f"{total:,}", arguments.events)
    metrics = evaluate(scored)
    figures = standard_figures(scored, regions=EnergyRegions.of(reader.setup))
    out: Path = arguments.out
    save_figures(figures, out)
    scored.write(out / SCORED)
    (out / METRICS).write_text(json.dumps(metrics, indent=1))
    points = [point.model_dump(mode="json") for point in stored_working_points(scored)]
    (out / WORKING_POINTS).write_text(json.dumps(points, indent=1))
    title = f"{mode.name}: {arguments.model.name}"
    page = write_report(
        out,
        title,
        evaluation_sections(scored, metrics, figures),
        f"{len(scored):,} events of {', '.join(arguments.files)}",
    )
    logger.info("report: %s", page)
    if model.run_id:
        _track(arguments.root, model.run_id, out, metrics)


def _track(root: Path, run_id: str, out: Path, metrics: dict[str, float | int | bool | None]) -> None:
    """Add the results to the tracking run that trained the network, if its store is there."""
    from na64ml.training.run_logger import DATABASE, log_evaluation

    if not (root / DATABASE).is_file():
        logger.info("no tracking store %s; results are in %s only", root / DATABASE, out)
        return
    log_evaluation(root, run_id, out, metrics)
