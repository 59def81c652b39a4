"""``na64ml register``: networks in the model registry, after a parity check."""

import argparse
from pathlib import Path

from na64ml.cli.options import add_tracking, make_reader
from na64ml.errors import ConfigError
from na64ml.export.registry import PREFIX, give_alias, register, tracking_address
from na64ml.inference.scorer import Scorer
from na64ml.selection.mode import load_mode
from na64ml.selection.viewer import make_viewer

_EXAMPLE_EVENTS = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("model", help="ONNX file to add; or a registered version, models:/NAME@ALIAS, to rename")
    parser.add_argument(
        "--checkpoint",
        type=Path,
        help="checkpoint the file was exported from, or the text file beside boosted trees, for the parity check",
    )
    parser.add_argument("--name", help="name of the registered model (default: the mode of the network)")
    parser.add_argument("--alias", default="candidate", help="alias of the version: candidate (default), champion, ...")
    parser.add_argument(
        "--files",
        nargs="+",
        default=["shipped:na64e_reference.root"],
        help="ROOT files with events for the parity check",
    )
    parser.add_argument("--layout", help="layout of these files (default: the model's)")
    parser.add_argument("--setup", help="setup name or YAML file instead of the layout's")
    parser.add_argument("--conditions", help="conditions name or YAML file instead of the layout's")
    add_tracking(parser)


def run(arguments: argparse.Namespace) -> None:
    """Register a network, or give an alias to one that is."""
    tracking_address(arguments.tracking)
    if arguments.model.startswith(PREFIX):
        give_alias(arguments.model, arguments.alias, arguments.tracking)
        return
    if arguments.checkpoint is None:
        raise ConfigError(
            f"{arguments.model}: is registered only after a comparison with what it was exported from; give the "
            "checkpoint, or the text file of boosted trees, with --checkpoint"
        )
    from na64ml.export.onnx_export import check_file
    from na64ml.export.parity import example_inputs, spread
    from na64ml.models.inputs import network_inputs

    scorer = Scorer(arguments.model)
    reader = make_reader(arguments, scorer.metadata.layout)
    scorer.check(reader.contract, reader.conditions.hash)
    events = next(reader.iterate(arguments.files))
    compared = spread(events)
    if scorer.metadata.variables:
        from na64ml.export.trees_export import check_trees_file

        mode = load_mode(scorer.metadata.mode)
        check_trees_file(Path(arguments.model), arguments.checkpoint, network_inputs(reader, mode), reader, compared)
    else:
        check_file(Path(arguments.model), arguments.checkpoint, compared)
    few = compared.select(slice(0, _EXAMPLE_EVENTS))
    register(
        Path(arguments.model),
        scorer.metadata,
        {**example_inputs(few), **scorer.further_inputs(few, make_viewer(reader)(few))},
        arguments.name or scorer.metadata.mode,
        arguments.alias,
        arguments.tracking,
    )
