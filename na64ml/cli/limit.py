"""``na64ml limit``: from signal yields, efficiency and background to a limit."""

import argparse
import logging
from pathlib import Path

from na64ml.cli.options import console, event_progress
from na64ml.errors import ConfigError

logger = logging.getLogger(__name__)

EXTRA = ("hepdata_lib", "iminuit", "pyhf")
"""Packages of the extra ``limits``."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("config", help="limit to compute, a YAML file; shipped:MODE/NAME is a shipped one")
    parser.add_argument("--out", type=Path, help="folder for tables, HEPData record and figures (default: NAME)")


def run(arguments: argparse.Namespace) -> None:
    """Compute a limit and write it in all forms."""
    try:
        from na64ml.limits.config import load_limit
        from na64ml.limits.curve import compute_curve
        from na64ml.limits.output.results import result_tables, write_results
    except ModuleNotFoundError as error:
        if error.name not in EXTRA:
            raise
        raise ConfigError(f"limits need the package {error.name}: pip install 'na64ml[limits]'") from error

    config = load_limit(arguments.config)
    out: Path = arguments.out or Path(config.name)
    with event_progress("masses", len(config.mass_grid)) as progress:
        curve = compute_curve(config, progress)
    for table in result_tables(curve):
        console.print(table)
    write_results(curve, out)
    logger.info("written to %s: limit.csv, limit.json, hepdata/, figures", out)
