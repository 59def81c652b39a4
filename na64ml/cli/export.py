"""``na64ml export``: one ONNX file, after a parity check."""

import argparse
import logging
from pathlib import Path

from na64ml.cli.options import make_reader
from na64ml.evaluation.delivered import WorkingPointFile
from na64ml.inference.compatibility import check_contract
from na64ml.inference.metadata import WorkingPoint

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("checkpoint", type=Path, help="checkpoint written by 'na64ml fit'")
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    parser.add_argument(
        "--files",
        nargs="+",
        default=["shipped:na64e_reference.root"],
        help="ROOT files with events for the parity check",
    )
    parser.add_argument(
        "--layout",
        help="layout of these files, recorded as the one to apply the network with (default: that of the training)",
    )
    parser.add_argument("--setup", help="setup name or YAML file instead of the layout's")
    parser.add_argument("--conditions", help="conditions name or YAML file instead of the layout's")
    parser.add_argument("--working-points", type=Path, help="working_points.json of 'na64ml evaluate', to be stored")


def run(arguments: argparse.Namespace) -> None:
    """Export a network."""
    from na64ml.export.onnx_export import export, weights_hash
    from na64ml.export.parity import spread
    from na64ml.models.checkpoint import load_network
    from na64ml.training.provenance import code_version

    network, record = load_network(arguments.checkpoint)
    points: tuple[WorkingPoint, ...] = ()
    if arguments.working_points:
        known = weights_hash(network)
        points = WorkingPointFile.read_for(arguments.working_points, known, str(arguments.checkpoint)).points
    reader = make_reader(arguments, record.layout)
    check_contract(
        arguments.checkpoint, (record.contract,), record.conditions_hash, reader.contract, reader.conditions.hash
    )
    record = record.model_copy(update={"layout": reader.layout.name})
    events = next(reader.iterate(arguments.files))
    compared = spread(events)
    metadata = export(network, record, compared, arguments.out, points, code_version())
    names = ", ".join(metadata.thresholds) or "none"
    logger.info("parity with PyTorch holds on %d events and all edge cases; working points: %s", len(compared), names)
