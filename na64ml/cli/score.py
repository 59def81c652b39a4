"""``na64ml score``: a friend tree with class probabilities, score and status."""

import argparse
import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from na64ml.cli.batch_systems import BATCH_SYSTEMS, write_batch
from na64ml.cli.options import (
    add_files,
    add_mode,
    add_model,
    event_progress,
    make_mode,
    make_reader,
    model_file,
)
from na64ml.errors import ConfigError
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.inference.scorer import MICRO_BATCH, PROVIDER, Scorer
from na64ml.inference.scoring.job import Job
from na64ml.inference.scoring.plan import SHARD_EVENTS
from na64ml.inference.scoring.run import join_shards, plan, score_shards
from na64ml.inference.status import BLINDED, SCORED, STATUS_NAMES
from na64ml.schedulers import Scheduler, in_processes, in_this_process, on_dask
from na64ml.selection.blinding import Blinding
from na64ml.selection.viewer import make_viewer
from na64ml.yaml_files import content_hash

logger = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_files(parser)
    add_mode(parser)
    add_model(parser, required=True)
    parser.add_argument("--out", type=Path, required=True, help="ROOT file to write")
    parser.add_argument("--format", choices=["ttree", "rntuple"], default="ttree", help="kind of tree (default: ttree)")
    parser.add_argument("--workers", type=int, default=1, help="processes on this machine (default: 1)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="Dask scheduler to use instead of local processes")
    parser.add_argument("--threads", type=int, default=1, help="threads of the ONNX runtime in each process")
    parser.add_argument("--micro-batch", type=int, default=MICRO_BATCH, help="events per call of the ONNX runtime")
    parser.add_argument("--provider", default=PROVIDER, help=f"execution provider of the runtime (default: {PROVIDER})")
    parser.add_argument(
        "--shard-events", type=int, default=SHARD_EVENTS, help=f"events of a shard (default: {SHARD_EVENTS})"
    )
    parser.add_argument("--keep-shards", action="store_true", help="keep the shards, for when files are added")
    parser.add_argument(
        "--part", metavar="I/N", help="only score every N-th shard, from shard I (0 to N-1); without it, write the tree"
    )
    parser.add_argument(
        "--batch", choices=sorted(BATCH_SYSTEMS), help="write the job file of a batch system instead of scoring"
    )
    parser.add_argument("--jobs", type=int, default=20, help="number of jobs of --batch (default: 20)")


def run(arguments: argparse.Namespace) -> None:
    """Score the files."""
    for option in ("workers", "shard_events", "jobs", "threads"):
        if getattr(arguments, option) < 1:
            raise ConfigError(f"--{option.replace('_', '-')} {getattr(arguments, option)}: at least one is needed")
    part, of = _part(arguments.part)
    model = model_file(arguments)
    scorer = Scorer(model, micro_batch=arguments.micro_batch, provider=arguments.provider)
    reader = make_reader(arguments, scorer.metadata.layout)
    hide = Hidden(reader, Blinding(make_mode(arguments, reader, scorer.metadata.mode), arguments.unblind))
    job = Job(model.resolve(), reader, hide, arguments.threads, arguments.micro_batch, arguments.provider)
    work = plan(job, arguments.files, arguments.out, arguments.shard_events)
    if arguments.batch:
        path = write_batch(arguments)
        logger.info("%s: %d jobs for %d shards; the file says how to submit it", path, arguments.jobs, len(work.shards))
        return
    with event_progress("scoring", sum(map(len, work.shards[part::of]))) as progress:
        score_shards(work, _scheduler(arguments), progress, part, of)
    if arguments.part:
        logger.info(
            "part %s of %s is finished; the command without --part writes the tree", arguments.part, arguments.out
        )
        return
    counts = join_shards(work, arguments.format, arguments.keep_shards)
    logger.info("%s: %s", arguments.out, summary(counts))
    if BLINDED in counts:
        logger.info("data inside the blinded region have status %d and no score", BLINDED)


@dataclass(frozen=True)
class Hidden:
    """Which events must stay blind."""

    reader: EventReader
    blinding: Blinding

    @property
    def hash(self) -> str:
        """Hash of the mode and of the decision to unblind."""
        return content_hash({"mode": self.blinding.mode.model_dump(mode="json"), "unblind": self.blinding.unblind})

    def __call__(self, events: EventBatch) -> NDArray[np.bool_]:
        """Return the mask of the hidden events."""
        return self.blinding.hidden(make_viewer(self.reader)(events))


def _scheduler(arguments: argparse.Namespace) -> Scheduler:
    if arguments.scheduler:
        return on_dask(arguments.scheduler)
    return in_processes(arguments.workers) if arguments.workers > 1 else in_this_process


def _part(text: str | None) -> tuple[int, int]:
    """Return which shards ``--part`` means: every ``of``-th, from number ``part``."""
    if text is None:
        return 0, 1
    part, _, of = text.partition("/")
    if not (part.isdecimal() and of.isdecimal() and int(part) < int(of)):
        raise ConfigError(f"--part {text}: write I/N with I from 0 to N-1, such as 0/20")
    return int(part), int(of)


def summary(counts: Counter[int]) -> str:
    """Return the total and the number of events by status.

    How many data are blinded is not said, nor how many are scored then, because the rest of the total is blinded.
    """
    hidden = {BLINDED, SCORED} if BLINDED in counts else set()
    shown = [f"{STATUS_NAMES[status]} {count:,}" for status, count in sorted(counts.items()) if status not in hidden]
    return f"{counts.total():,} events" + (f" ({', '.join(shown)})" if shown else "")
