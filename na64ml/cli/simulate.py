"""``na64ml simulate``: a labelled sample from a recipe."""

import argparse
import os
import time
from pathlib import Path

from rich.table import Table

from na64ml.cli.options import console, event_progress
from na64ml.errors import ConfigError
from na64ml.simulation.recipe import Plan, load_recipe
from na64ml.simulation.runner import in_processes, on_dask, simulate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("recipe", help="recipe, a YAML file; shipped:NAME is a shipped one")
    parser.add_argument("--out", type=Path, help="ROOT file to write (default: NAME.root of the recipe)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes on this machine")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="Dask scheduler to use instead of local processes")
    parser.add_argument("--keep-shards", action="store_true", help="keep the shards after joining them")
    parser.add_argument("--dry-run", action="store_true", help="only show what would be made")


def run(arguments: argparse.Namespace) -> None:
    """Make the sample."""
    if arguments.workers < 1:
        raise ConfigError(f"--workers {arguments.workers}: at least one is needed")
    recipe = load_recipe(arguments.recipe)
    plan = Plan(recipe)
    console.print(_table(plan))
    if arguments.dry_run:
        return
    out = arguments.out or Path(f"{recipe.name}.root")
    scheduler = on_dask(arguments.scheduler) if arguments.scheduler else in_processes(arguments.workers)
    total, start = sum(plan.events), time.monotonic()
    with event_progress("simulating", total) as progress:
        simulate(recipe, out, scheduler, progress, keep_shards=arguments.keep_shards)
    seconds = time.monotonic() - start
    console.print(f"{total:,} events in {seconds:.0f} s. Look at them: na64ml inspect {out}")


def _table(plan: Plan) -> Table:
    table = Table(title=f"{plan.recipe.name}: {len(plan.shards)} shards, recipe {plan.recipe.hash}")
    for column in ("process", "class", "events", "rate per particle on target", "source"):
        table.add_column(column, justify="right" if column in ("events",) else "left")
    for row in plan.rates():
        name = row["process"]
        table.add_row(
            name, plan.mode.processes[name], f"{row['events']:,}", f"{row['rate_per_eot']:.3g}", row["source"]
        )
    return table
