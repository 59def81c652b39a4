"""Options and helpers that several verbs share."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from na64ml.events.reader import EventReader
from na64ml.export.registry import PREFIX, registered_file
from na64ml.inference.scorer import Scorer
from na64ml.resources import shipped_or_own
from na64ml.selection.mode import Mode, load_mode
from na64ml.setups.conditions import load_conditions
from na64ml.setups.setup import load_setup

console = Console(width=None if sys.stdout.isatty() else 140)
"""Where the commands write their tables."""


def add_files(parser: argparse.ArgumentParser) -> None:
    """Add the input files and how to read them."""
    parser.add_argument("files", nargs="+", help="ROOT files or quoted glob patterns; shipped:NAME is a shipped file")
    parser.add_argument("--layout", help="layout name or YAML file (default: the model's, or na64e_reference)")
    parser.add_argument("--setup", help="setup name or YAML file instead of the layout's")
    parser.add_argument("--conditions", help="conditions name or YAML file instead of the layout's")


def add_mode(parser: argparse.ArgumentParser) -> None:
    """Add the search mode and the decision to look at blinded data."""
    parser.add_argument("--mode", help="mode name or YAML file (default: the model's, or na64e_invisible)")
    parser.add_argument("--unblind", action="store_true", help="show data inside the blinded region; this is logged")


def add_model(
    parser: argparse.ArgumentParser, required: bool = False, kinds: str = "ONNX file written by 'na64ml export'"
) -> None:
    """Add the network to score with; ``kinds`` says which files are taken."""
    parser.add_argument(
        "--model",
        required=required,
        help=f"{kinds}, shipped:models/NAME.onnx that comes with the package, or models:/NAME@ALIAS of a registry",
    )
    add_tracking(parser)


def add_tracking(parser: argparse.ArgumentParser) -> None:
    """Add the tracking store that registered networks are in."""
    parser.add_argument(
        "--tracking",
        default="runs",
        help="run root, or address of the tracking store with the registry (default: runs)",
    )


def model_file(arguments: argparse.Namespace) -> Path:
    """Return the file of the network that ``--model`` means; only registered networks load MLflow."""
    if arguments.model.startswith(PREFIX):
        return registered_file(arguments.model, arguments.tracking)
    return shipped_or_own(arguments.model)


def make_reader(arguments: argparse.Namespace, layout: str = "na64e_reference") -> EventReader:
    """Return the reader that the options ask for, with ``layout`` as the default."""
    return EventReader(
        arguments.layout or layout,
        setup=load_setup(arguments.setup) if arguments.setup else None,
        conditions=load_conditions(arguments.conditions) if arguments.conditions else None,
    )


def make_mode(arguments: argparse.Namespace, reader: EventReader, mode: str = "na64e_invisible") -> Mode:
    """Return the mode that the options ask for, with ``mode`` as the default; it must know the reader's setup."""
    made = load_mode(arguments.mode or mode)
    made.check_setup(reader.setup)
    return made


def open_chain(arguments: argparse.Namespace) -> tuple[Scorer | None, EventReader, Mode]:
    """Open the network of ``--model``, if there is one, and the reader and mode that fit it or the options."""
    scorer = Scorer(model_file(arguments)) if arguments.model else None
    if scorer is None:
        reader = make_reader(arguments)
        return None, reader, make_mode(arguments, reader)
    reader = make_reader(arguments, scorer.metadata.layout)
    scorer.check(reader.contract, reader.conditions.hash)
    return scorer, reader, make_mode(arguments, reader, scorer.metadata.mode)


class _Rate(ProgressColumn):
    """Events (or other units) per second of a progress bar."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """Return the rate as text."""
        return Text(f"{task.speed:,.3g} {self._unit}/s" if task.speed else "")


@contextmanager
def event_progress(label: str, total: int, unit: str = "events") -> Iterator[Callable[[int], None]]:
    """Show a progress bar of events; yield the function that advances it."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(unit),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda n_events: progress.advance(task, n_events)
