"""``na64ml working-points``: the named thresholds of an exported network."""

import argparse
import logging
from pathlib import Path

from rich.table import Table

from na64ml.cli.options import add_tracking, console, model_file
from na64ml.evaluation.delivered import WorkingPointFile
from na64ml.inference.metadata import ModelMetadata
from na64ml.inference.scorer import Scorer

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    shown = actions.add_parser("show", help="list the working points of a network")
    _add_network(shown)
    shown.set_defaults(action=_show)
    changed = actions.add_parser("set", help="write a file with the same network and other working points")
    _add_network(changed)
    changed.add_argument("points", nargs="*", metavar="NAME=THRESHOLD", help="events with score >= threshold pass")
    changed.add_argument(
        "--from", type=Path, dest="file", metavar="JSON", help="working_points.json of 'na64ml evaluate'"
    )
    changed.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    changed.set_defaults(action=_set)


def run(arguments: argparse.Namespace) -> None:
    """Do what was asked for."""
    arguments.action(arguments)


def _add_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", help="ONNX file, or models:/NAME@ALIAS of a registry")
    add_tracking(parser)


def _show(arguments: argparse.Namespace) -> None:
    console.print(_table(arguments.model, Scorer(model_file(arguments)).metadata))


def _set(arguments: argparse.Namespace) -> None:
    from na64ml.export.working_points import parse_working_points, set_working_points

    model = model_file(arguments)
    points = parse_working_points(arguments.points)
    if arguments.file:
        known = Scorer(model).metadata
        points = (*WorkingPointFile.read_for(arguments.file, known.weights_hash, str(model)).points, *points)
    metadata = set_working_points(model, points, arguments.out)
    console.print(_table(str(arguments.out), metadata))
    logger.info("wrote %s; the network is the same (weights %s)", arguments.out, metadata.weights_hash)


def _table(name: str, metadata: ModelMetadata) -> Table:
    title = f"{name}: weights {metadata.weights_hash}, trained on {metadata.data_hash}"
    table = Table(title=title, title_justify="left")
    for column in ("", *metadata.thresholds):
        table.add_column(column, justify="right" if column else "left")
    table.add_row("score from", *(f"{point.threshold:.6g}" for point in metadata.working_points), end_section=True)
    for kind in metadata.classes:
        efficiencies = (point.efficiency.get(kind) for point in metadata.working_points)
        table.add_row(kind, *(f"{e[0]:.3g} [{e[1]:.3g}, {e[2]:.3g}]" if e else "" for e in efficiencies))
    table.caption = "share of the generated events that pass, with its interval; empty: not measured"
    return table
