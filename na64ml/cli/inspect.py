"""``na64ml inspect``: what is in a ROOT file."""

import argparse

from rich.table import Table

from na64ml.cli.options import console
from na64ml.events.inspect import fitting_layouts, trees_of
from na64ml.events.root_files import expand


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("files", nargs="+", help="ROOT files or quoted glob patterns")
    parser.add_argument("--layout", action="append", help="layout to try, can be repeated (default: all shipped ones)")


def run(arguments: argparse.Namespace) -> None:
    """Print trees, branches and fitting layouts of each file."""
    for file in expand(arguments.files):
        for tree in trees_of(file):
            table = Table(title=f"{file}: {tree.kind} '{tree.name}', {tree.n_entries:,} entries", title_justify="left")
            table.add_column("branch")
            table.add_column("type")
            for branch in tree.branches:
                table.add_row(branch.name, branch.type)
            console.print(table)
        for fit in fitting_layouts(file, arguments.layout):
            console.print(f"layout {fit.layout}: {'[green]fits[/]' if fit.fits else '[red]does not fit[/]'}: ", end="")
            console.print(fit.reason, markup=False, highlight=False)
