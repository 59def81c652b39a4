"""The command ``na64ml``: one subcommand per verb, each in a file of its own."""

import argparse
import logging
import sys
from collections.abc import Sequence
from importlib import import_module

from rich.console import Console
from rich.logging import RichHandler

from na64ml import __version__
from na64ml.errors import Na64mlError

TRAINING = {
    "fit": "train a network",
    "validate": "measure loss and accuracy of a checkpoint on the validation split",
    "test": "measure loss and accuracy of a checkpoint on the test split",
    "predict": "write the predictions of a checkpoint for the test split",
}
"""Verbs whose arguments the Lightning command line reads."""

VERBS = {
    "setup": "show what a detector setup contains, and draw it",
    "inspect": "show what is in a ROOT file and which layouts read it",
    "simulate": "make labelled events from a recipe",
    **TRAINING,
    "fit-trees": "train boosted trees on analysis variables and write them to an ONNX file, after a parity check",
    "tune": "search for hyperparameters with many trainings",
    "ensemble": "join several checkpoints to one network",
    "calibrate": "fit the temperature of the class probabilities on the validation split",
    "evaluate": "measure background rejection with intervals, and draw it",
    "export": "write a trained network to an ONNX file, after a parity check",
    "working-points": "show or set the named score thresholds of an exported network",
    "register": "add an exported network to the model registry, after a parity check, or give it an alias",
    "export-matrix": "try all networks and layers with all exporters, and write the table",
    "score": "write a friend tree with class probabilities, score and status",
    "select": "run cut flows, with or without the score",
    "skim": "copy the events that pass a selection to a new ROOT file",
    "cpp": "copy the C++ scorer, its examples and setups as headers",
    "limit": "compute signal yields and CLs limits, and draw them",
    "display": "draw single events",
    "demo": "run the whole chain on the embedded sample",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; errors of the user's input are reported without traceback."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    _configure_logging()
    try:
        if arguments and arguments[0] in TRAINING:
            from na64ml.training.command import run

            run(arguments)
            return 0
        parsed = _parser(arguments[0] if arguments else None).parse_args(arguments)
        parsed.run(parsed)
    except Na64mlError as error:
        message = str(error)
    except KeyboardInterrupt:
        message = (
            "interrupted; 'fit' goes on with --ckpt_path, 'simulate' and 'score' when the same command is given again"
        )
    else:
        return 0
    logging.getLogger("na64ml").error("%s", message)
    return 2


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    """Describe all verbs; only the chosen one is imported, so that help and errors come quickly."""
    parser = argparse.ArgumentParser(
        prog="na64ml", description="Machine-learning background rejection for missing-energy experiments."
    )
    parser.add_argument("--version", action="version", version=f"na64ml {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    for verb, text in VERBS.items():
        command = verbs.add_parser(verb, help=text, description=text[0].upper() + text[1:] + ".")
        if verb == chosen:
            module = import_module(f"na64ml.cli.{verb.replace('-', '_')}")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def _configure_logging() -> None:
    console = Console(stderr=True)
    handler = RichHandler(console=console, show_path=False, show_time=False, markup=False)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[handler], force=True)
    logging.getLogger("na64ml").setLevel(logging.INFO)
    for library in ("lightning.pytorch", "lightning.fabric"):  # they have a handler of their own
        logging.getLogger(library).propagate = False
