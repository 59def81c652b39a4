"""``na64ml export``: one ONNX file, after a parity check."""

import argparse
import json
import logging
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from na64ml.cli.options import make_reader
from na64ml.errors import ConfigError
from na64ml.inference.metadata import WorkingPoint

logger = logging.getLogger(__name__)

_PARITY_EVENTS = 256


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
    parser.add_argument("--layout", help="layout of these files (default: the layout of the training)")
    parser.add_argument("--setup", help="setup name or YAML file instead of the layout's")
    parser.add_argument("--conditions", help="conditions name or YAML file instead of the layout's")
    parser.add_argument("--working-points", type=Path, help="working_points.json of 'na64ml evaluate', to be stored")


def run(arguments: argparse.Namespace) -> None:
    """Export a network."""
    from na64ml.export.onnx_export import export
    from na64ml.models.checkpoint import load_network
    from na64ml.training.provenance import code_version

    network, record = load_network(arguments.checkpoint)
    points = read_working_points(arguments.working_points) if arguments.working_points else ()
    reader = make_reader(arguments, record.layout)
    events = next(reader.iterate(arguments.files))
    spread = np.unique(np.linspace(0, len(events) - 1, _PARITY_EVENTS).astype(np.int64))
    metadata = export(network, record, events.select(spread), arguments.out, points, code_version())
    names = ", ".join(metadata.thresholds) or "none"
    logger.info("parity with PyTorch holds on %d events and all edge cases; working points: %s", len(spread), names)


def read_working_points(path: Path) -> tuple[WorkingPoint, ...]:
    """Read the working points that an evaluation wrote.

    Raises
    ------
    ConfigError
        If the file cannot be read or holds something else.
    """
    try:
        return TypeAdapter(tuple[WorkingPoint, ...]).validate_python(json.loads(path.read_text()))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except (ValueError, ValidationError) as error:
        raise ConfigError(f"{path}: holds no working points: {error}; write it with 'na64ml evaluate'") from error
