"""``na64ml ensemble``: several checkpoints as one."""

import argparse
import logging
from pathlib import Path

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("checkpoints", nargs="+", type=Path, help="checkpoints of 'na64ml fit', of the same split")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write")


def run(arguments: argparse.Namespace) -> None:
    """Join networks; the result is evaluated and exported like any other checkpoint."""
    from na64ml.models.checkpoint import load_network, write_checkpoint
    from na64ml.models.ensemble_network import ensemble

    networks, records = zip(*(load_network(path) for path in arguments.checkpoints), strict=True)
    joined, record = ensemble(list(networks), list(records), [str(path) for path in arguments.checkpoints])
    write_checkpoint(arguments.out, joined, record)
    logger.info("wrote %s with %d members", arguments.out, len(networks))
