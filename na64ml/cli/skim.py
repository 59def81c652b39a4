"""``na64ml skim``: the events that pass a selection, in a new ROOT file."""

import argparse
import shutil
from pathlib import Path

from rich.table import Table

from na64ml.cli.options import add_files, add_mode, add_model, console, event_progress, open_chain
from na64ml.events.atomic import atomic_path
from na64ml.events.layout import layout_beside
from na64ml.events.reader import EventReader
from na64ml.events.root_files import expand
from na64ml.inference.sieve import Sieve, Tally
from na64ml.inference.skim import skim
from na64ml.resources import shipped
from na64ml.selection.blinding import Blinding
from na64ml.selection.cutflow import DATA
from na64ml.selection.viewer import make_viewer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_files(parser)
    add_mode(parser)
    parser.add_argument("--selection", default="simple", help="selection name or YAML file (default: simple)")
    add_model(parser)
    parser.add_argument("--leave-out", nargs="+", default=[], metavar="BRANCH", help="branches that are not copied")
    parser.add_argument("--out", type=Path, required=True, help="ROOT file to write")


def run(arguments: argparse.Namespace) -> None:
    """Write the events, and the layout beside them."""
    scorer, reader, mode = open_chain(arguments)
    selection = mode.selection(arguments.selection)
    sieve = Sieve(selection, Blinding(mode, arguments.unblind), make_viewer(reader), scorer)
    with event_progress("skimming", reader.count(arguments.files)) as progress:
        skim(reader, arguments.files, sieve, arguments.out, arguments.leave_out, progress)
    layout = _layout(reader, arguments)
    console.print(_table(sieve))
    written, events = sieve.total(Tally.KEPT), sieve.total(Tally.EVENTS)
    command = f"na64ml inspect {arguments.out} --layout {layout}"
    console.print(f"{written:,} of {events:,} events written. Look at them: {command}", soft_wrap=True)


def _layout(reader: EventReader, arguments: argparse.Namespace) -> str:
    """Return the layout that reads the output; one that lies beside an input is copied beside the output."""
    file = reader.layout.file
    if file is None or file.resolve().is_relative_to(shipped("configs").resolve()):
        return reader.layout.name
    if file.resolve().parent not in {Path(source).resolve().parent for source in expand(arguments.files)}:
        return str(file)
    copy = layout_beside(arguments.out)
    if copy.resolve() != file.resolve():
        with atomic_path(copy) as part:
            shutil.copyfile(file, part)
    return str(copy)


def _table(sieve: Sieve) -> Table:
    hidden = DATA in sieve.counts and not sieve.blinding.unblind
    table = Table(
        title=f"Events that selection '{sieve.selection.name}' leaves",
        caption="data inside the blinded region are not written" if hidden else None,
        title_justify="left",
    )
    table.add_column("process")
    for heading in ("events", "written", "not scored", "of these written"):
        table.add_column(heading, justify="right")
    for name, counts in sieve.counts.items():
        table.add_row(name, *(f"{count:,}" for count in counts.tolist()))
    return table
