"""``na64ml evaluate``: background rejection with intervals."""

import argparse
import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from na64ml.cli.models import open_model
from na64ml.cli.options import add_files, add_mode, add_model, event_progress, make_mode, make_reader, model_file
from na64ml.evaluation.collect import collect
from na64ml.evaluation.delivered import WorkingPointFile, stored_working_points
from na64ml.evaluation.figures import save_figures, standard_figures
from na64ml.evaluation.figures.energy_plane import EnergyRegions
from na64ml.evaluation.metrics import evaluate
from na64ml.evaluation.report import write_report
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.summary import evaluation_sections
from na64ml.events.atomic import atomic_path
from na64ml.export.registry import PREFIX
from na64ml.training.output_folder import check_folder
from na64ml.training.tracking_store import DATABASE

logger = logging.getLogger(__name__)

METRICS, SCORED, WORKING_POINTS = "metrics.json", "scored.npz", "working_points.json"
"""Files written to the output folder, beside the figures and the report."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_files(parser)
    add_mode(parser)
    add_model(parser, required=True, kinds="checkpoint (.ckpt) or exported network (.onnx)")
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
    model = open_model(model_file(arguments))
    reader = make_reader(arguments, model.layout)
    model.check(reader.contract, reader.conditions.hash)
    mode = make_mode(arguments, reader, model.mode)
    model.check_mode(mode)
    out: Path = arguments.out
    check_folder(out, "--out")
    keep = (lambda events: model.split.assign(events.ids)["test"]) if arguments.events == "test" else None
    total = reader.count(arguments.files)
    with event_progress("scoring", total) as progress:
        scored = collect(reader, arguments.files, mode, model.score, keep, progress)
    logger.info("evaluating %s of %s events (%s)", f"{len(scored):,}", f"{total:,}", arguments.events)
    weighted = not arguments.unweighted
    counted = scored if weighted else alike(scored)
    metrics = evaluate(counted, weighted=weighted)
    points = WorkingPointFile(
        weights_hash=model.weights_hash,
        data_hash=model.data_hash,
        n_events=len(scored),
        weighted=weighted,
        points=stored_working_points(counted, weighted=weighted),
    )
    beam_energy = reader.conditions.beam_energies(
        reader.setup, scored.ids[:, 0]
    ).max()  # of runs at several, one is drawn
    with atomic_path(out / SCORED) as part:
        scored.write(part)
    with atomic_path(out / METRICS) as part:
        part.write_text(json.dumps(metrics, indent=1))
    with atomic_path(out / WORKING_POINTS) as part:
        part.write_text(points.model_dump_json(indent=1))
    figures = standard_figures(counted, regions=EnergyRegions.of(reader.setup, float(beam_energy)))
    save_figures(figures, out)
    title = f"{mode.name}: {arguments.model if arguments.model.startswith(PREFIX) else model.path.name}"
    subtitle = f"{len(scored):,} events of {', '.join(arguments.files)}"
    if not weighted:
        subtitle += "; all events count alike, whatever their weight"
    page = write_report(out, title, evaluation_sections(counted, metrics, figures), subtitle)
    logger.info("report: %s", page)
    if model.run_id:
        _track(arguments.root, model.run_id, out, metrics)


def alike(scored: ScoredEvents) -> ScoredEvents:
    """Return the events with the same weight 1."""
    return replace(scored, weight=np.ones(len(scored)))


def _track(root: Path, run_id: str, out: Path, metrics: dict[str, float | int | bool | None]) -> None:
    """Add the results to the tracking run that trained the network, if its store is there."""
    from na64ml.training.run_logger import log_evaluation

    if not (root / DATABASE).is_file():
        logger.info("no tracking store %s; results are in %s only", root / DATABASE, out)
        return
    log_evaluation(root, run_id, out, metrics)
