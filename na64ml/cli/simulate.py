"""``na64ml simulate``: a labelled sample or a shower library from a recipe."""

import argparse
import os
import time
from pathlib import Path

from rich.table import Table

from na64ml.cli.options import console, event_progress
from na64ml.errors import ConfigError
from na64ml.schedulers import Scheduler, in_processes, on_dask
from na64ml.simulation.library import LibraryRecipe, load_library_recipe, make_library
from na64ml.simulation.particles import properties
from na64ml.simulation.recipe import Plan, load_recipe
from na64ml.simulation.runner import simulate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("recipe", help="recipe, a YAML file; shipped:NAME is a shipped one")
    parser.add_argument("--library", action="store_true", help="the recipe is that of a shower library")
    parser.add_argument("--out", type=Path, help="ROOT file to write (default: NAME.root of the recipe)")
    parser.add_argument(
        "--events", type=int, metavar="N", help="make N events in all, in the proportions of the recipe"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="another value of a key, such as seed=7; repeatable",
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes on this machine")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="Dask scheduler to use instead of local processes")
    parser.add_argument("--keep-shards", action="store_true", help="keep the shards after joining them")
    parser.add_argument("--dry-run", action="store_true", help="only show what would be made")


def run(arguments: argparse.Namespace) -> None:
    """Make the sample or the library."""
    if arguments.workers < 1:
        raise ConfigError(f"--workers {arguments.workers}: at least one is needed")
    if arguments.library:
        _make_library(arguments)
    else:
        _make_sample(arguments)


def _make_sample(arguments: argparse.Namespace) -> None:
    plan = Plan(load_recipe(arguments.recipe, arguments.set))
    if arguments.events is not None:
        plan = plan.of(arguments.events)
    recipe = plan.recipe
    console.print(_table(plan))
    if arguments.dry_run:
        return
    out = arguments.out or Path(f"{recipe.name}.root")
    total, start = sum(plan.events), time.monotonic()
    with event_progress("simulating", total) as progress:
        simulate(plan, out, _scheduler(arguments), progress, keep_shards=arguments.keep_shards)
    seconds = time.monotonic() - start
    console.print(f"{total:,} events in {seconds:.0f} s. Look at them: na64ml inspect {out}")


def _make_library(arguments: argparse.Namespace) -> None:
    if arguments.events is not None or arguments.set:
        raise ConfigError("--events and --set change the recipe of a sample; change that of a library in its file")
    recipe = load_library_recipe(arguments.recipe)
    console.print(_library_table(recipe))
    if arguments.dry_run:
        return
    out = arguments.out or Path(f"{recipe.name}.root")
    total, start = sum(entry.count for entry in recipe.showers), time.monotonic()
    with event_progress("simulating", total) as progress:
        make_library(recipe, out, _scheduler(arguments), progress, keep_shards=arguments.keep_shards)
    console.print(f"{total:,} showers in {time.monotonic() - start:.0f} s: {out}")


def _scheduler(arguments: argparse.Namespace) -> Scheduler:
    return on_dask(arguments.scheduler) if arguments.scheduler else in_processes(arguments.workers)


def _library_table(recipe: LibraryRecipe) -> Table:
    table = Table(title=f"{recipe.name}: showers in {recipe.setup}, recipe {recipe.hash}")
    for column in ("particle", "showers", "kinetic energy in GeV", "enters", "depth in mm"):
        table.add_column(column, justify="right" if column == "showers" else "left")
    for entry in recipe.showers:
        energy, depth = (" to ".join(f"{value:g}" for value in pair) for pair in (recipe.energy_of(entry), entry.depth))
        table.add_row(properties(entry.species).name, f"{entry.count:,}", energy, entry.entry, depth)
    return table


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
