"""``na64ml fit-trees``: boosted trees on analysis variables, as an ONNX file."""

import argparse
import logging
from pathlib import Path

from na64ml.cli.options import event_progress
from na64ml.errors import ConfigError
from na64ml.resources import config_path
from na64ml.yaml_files import read_yaml, validate

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("files", nargs="*", help="ROOT files or quoted glob patterns instead of those of data.files")
    parser.add_argument(
        "--config",
        default="na64e_invisible/trees.yaml",
        help="YAML file or name of a shipped configuration (default: na64e_invisible/trees.yaml)",
    )
    parser.add_argument("--layout", help="layout name or YAML file instead of that of data.layout")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="another value of a key, such as trees.num_leaves=31 or data.dataset=mine; repeatable",
    )
    parser.add_argument("--root", type=Path, default=Path("runs"), help="run root with the event cache (default: runs)")
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write")


def run(arguments: argparse.Namespace) -> None:
    """Train trees and export them, after a comparison with LightGBM."""
    from na64ml.export.parity import spread
    from na64ml.export.trees_export import export_trees
    from na64ml.key_changes import changed
    from na64ml.training.output_folder import check_folder
    from na64ml.training.provenance import code_version
    from na64ml.training.trees import TreesConfig, fit_trees

    if arguments.out.suffix != ".onnx":
        raise ConfigError(f"--out {arguments.out}: is no name of an ONNX file; give one that ends in .onnx")
    path = config_path(arguments.config)
    content = changed(read_yaml(path), arguments.set)
    for key, value in (("files", arguments.files), ("layout", arguments.layout)):
        if value:
            content.setdefault("data", {})[key] = value
    config = validate(TreesConfig, content, path)
    check_folder(arguments.out.parent, "--out")
    trees, record, data = fit_trees(config, arguments.root / "cache", event_progress)
    events = data.sample.events
    compared = spread(events)
    export_trees(trees, record, data.reader, compared, arguments.out, code_version())
    logger.info("parity with LightGBM holds on %d events and all edge cases", len(compared))
    text = arguments.out.with_suffix(".txt")
    trees.booster.save_model(text)
    logger.info("wrote %s, the same trees as LightGBM stores them", text)
