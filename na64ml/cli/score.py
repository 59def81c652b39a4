"""``na64ml score``: a friend tree with class probabilities, score and status."""

import argparse
import logging
from collections import Counter
from pathlib import Path

from na64ml.cli.options import add_files, add_mode, event_progress, make_mode, make_reader, make_viewer
from na64ml.inference.friend import score_files
from na64ml.inference.scorer import MICRO_BATCH, Scorer
from na64ml.inference.status import BLINDED, SCORED, STATUS_NAMES
from na64ml.selection.blinding import Blinding

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_files(parser)
    add_mode(parser)
    parser.add_argument("--model", type=Path, required=True, help="ONNX file written by 'na64ml export'")
    parser.add_argument("--out", type=Path, required=True, help="ROOT file to write")
    parser.add_argument("--threads", type=int, default=1, help="threads of the ONNX runtime")
    parser.add_argument("--micro-batch", type=int, default=MICRO_BATCH, help="events per call of the ONNX runtime")


def run(arguments: argparse.Namespace) -> None:
    """Score the files."""
    scorer = Scorer(arguments.model, threads=arguments.threads, micro_batch=arguments.micro_batch)
    reader = make_reader(arguments, scorer.metadata.layout)
    blinding = Blinding(make_mode(arguments, reader, scorer.metadata.mode), arguments.unblind)
    view = make_viewer(reader)
    with event_progress("scoring", reader.count(arguments.files)) as progress:
        counts = score_files(
            scorer, reader, arguments.files, arguments.out, lambda events: blinding.hidden(view(events)), progress
        )
    logger.info("%s: %s", arguments.out, summary(counts))
    if BLINDED in counts:
        logger.info("data inside the blinded region have status %d and no score", BLINDED)


def summary(counts: Counter[int]) -> str:
    """Return the total and the number of events by status.

    How many data are blinded is not said, nor how many are scored then, because the rest of the total is blinded.
    """
    hidden = {BLINDED, SCORED} if BLINDED in counts else set()
    shown = [f"{STATUS_NAMES[status]} {count:,}" for status, count in sorted(counts.items()) if status not in hidden]
    return f"{counts.total():,} events" + (f" ({', '.join(shown)})" if shown else "")
