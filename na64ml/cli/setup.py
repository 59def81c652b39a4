"""``na64ml setup``: what a detector setup contains."""

import argparse
from pathlib import Path

from na64ml.cli.options import console
from na64ml.errors import ConfigError
from na64ml.events.atomic import atomic_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="list the shipped setups")
    show = actions.add_parser("show", help="print and draw a setup")
    show.add_argument("name", help="setup name or YAML file")
    show.add_argument("--conditions", help="conditions name or YAML file (default: those of the same name)")
    show.add_argument("--figure", type=Path, help="where to save the drawing (default: NAME.png)")


def run(arguments: argparse.Namespace) -> None:
    """Print a setup and its conditions, and save a drawing."""
    from matplotlib.backend_bases import FigureCanvasBase

    from na64ml.setups.conditions import Conditions, load_conditions
    from na64ml.setups.describe import describe
    from na64ml.setups.draw import draw_setup
    from na64ml.setups.setup import load_setup, shipped_setups

    if arguments.action == "list":
        for name in shipped_setups():
            console.print(f"{name:16} {load_setup(name).description}")
        return
    setup = load_setup(arguments.name)
    conditions: Conditions | None
    try:
        conditions = load_conditions(arguments.conditions or setup.name)
    except ConfigError:
        if arguments.conditions:
            raise
        conditions = None
    console.print(describe(setup, conditions))
    path = arguments.figure or Path(f"{setup.name}.png")
    form = path.suffix.removeprefix(".") or "png"
    known = FigureCanvasBase.get_supported_filetypes()
    if form not in known:
        raise ConfigError(f"--figure {path}: '{form}' is no format of figures; give one of {', '.join(sorted(known))}")
    with atomic_path(path) as part:
        draw_setup(setup, conditions).savefig(part, format=form, dpi=150)
    console.print(f"drawing saved to {path}")
