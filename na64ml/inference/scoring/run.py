"""Scoring files into one friend tree, or into the shards of one."""

import json
import logging
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from na64ml.errors import InputError
from na64ml.events.root_files import refuse_inputs
from na64ml.inference.friend import IDENTIFIERS, Format, write_friend
from na64ml.inference.scoring.job import Job
from na64ml.inference.scoring.plan import SHARD_EVENTS, InputFile, Shard, shards, survey
from na64ml.inference.scoring.shard import Columns, cannot_write, read_scores, score_shard
from na64ml.schedulers import Scheduler, in_this_process

logger = logging.getLogger(__name__)

Progress = Callable[[int], None]
"""Called with the number of events that are done."""

_SHOWN_FAULTS = 10


@dataclass(frozen=True)
class Work:
    """A job, the files it is for, and the shards they are cut into.

    Parameters
    ----------
    job
        How events are scored.
    output, folder
        The friend tree; its shards lie in the folder ``<output>.shards`` until it is written.
    files, shards
        In the order of the friend tree.
    """

    job: Job
    output: Path
    folder: Path
    files: list[InputFile]
    shards: list[Shard]


def plan(job: Job, patterns: str | Path | Sequence[str | Path], output: Path, shard_events: int = SHARD_EVENTS) -> Work:
    """Check network and files before anything is scored, and cut the files into shards.

    Raises
    ------
    ConfigError
        If the network cannot be opened.
    ContractError
        If the events do not fit the network.
    InputError
        If files cannot be read, none has events, or the output is a folder, one of the inputs or the network.
    """
    if output.is_dir():
        raise InputError(f"{output}: is a folder; choose another output")
    job.open_scorer().check(job.reader.contract, job.reader.conditions.hash)
    files = survey(job.reader, patterns)
    refuse_inputs(output, [*(file.path for file in files), job.model])
    folder = output.resolve().with_name(output.name + ".shards")
    return Work(job, output, folder, files, shards(files, shard_events, job.hash, folder))


def score_shards(
    work: Work,
    scheduler: Scheduler = in_this_process,
    progress: Progress = lambda n_events: None,
    part: int = 0,
    of: int = 1,
) -> None:
    """Score the shards that are not finished; of several jobs, number ``part`` (from 0) does every ``of``-th.

    Raises
    ------
    InputError
        If scores cannot be written, or, when all other shards are finished, if events could not be read.
    """
    own = work.shards[part::of]
    try:
        work.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(cannot_write(work.output, "the shards", error)) from error
    missing = [shard for shard in own if read_scores(shard) is None]
    if len(missing) < len(own):
        logger.info("%s: %d of %d shards are finished", work.folder, len(own) - len(missing), len(own))
        progress(sum(map(len, own)) - sum(map(len, missing)))
    faults = []
    for outcome in scheduler(partial(score_shard, job=work.job), missing):
        progress(len(outcome.shard))
        if outcome.fault:
            faults.append(outcome.fault)
    if faults:
        more = [f"and {len(faults) - _SHOWN_FAULTS} more"] if len(faults) > _SHOWN_FAULTS else []
        summary = (
            f"{len(faults)} of {len(own)} shards could not be scored, the others are finished and kept; repair these "
            "files or take them out of the list, and run the same command again"
        )
        raise InputError("\n".join([summary, *faults[:_SHOWN_FAULTS], *more]))


def join_shards(work: Work, kind: Format = "ttree", keep_shards: bool = False) -> Counter[int]:
    """Write one entry per input event, in the order of the input, to the tree ``scores``; remove the shards.

    The output appears when it is complete.

    A friend tree is aligned with its input by position, so an event that occurs twice does no harm here. It is not
    searched for among all events, which would take memory for each of them, but a shard with duplicates is warned of.

    Returns
    -------
    Number of events by status.

    Raises
    ------
    InputError
        If a shard is missing or the output cannot be written; the shards are kept.
    """
    counts: Counter[int] = Counter()
    joined = work.folder / work.output.name
    classes = work.job.open_scorer().metadata.classes
    try:
        with write_friend(joined, classes, kind, {"provenance": json.dumps(_provenance(work))}) as tree:
            for shard in work.shards:
                columns = read_scores(shard)
                if columns is None:
                    raise InputError(f"{shard.scores}: the scores of {shard} are missing; run the same command again")
                _warn_of_duplicates(columns, work.output)
                tree.extend(columns)
                counts.update(columns["status"].tolist())
        joined.replace(work.output)
    except OSError as error:
        raise InputError(cannot_write(work.output, "the friend tree", error)) from error
    if not keep_shards:
        shutil.rmtree(work.folder)
    return counts


def score_files(
    job: Job,
    patterns: str | Path | Sequence[str | Path],
    output: Path,
    scheduler: Scheduler = in_this_process,
    progress: Progress = lambda n_events: None,
) -> Counter[int]:
    """Score all events of the files into the friend tree ``output``; see `plan`, `score_shards` and `join_shards`."""
    work = plan(job, patterns, output)
    score_shards(work, scheduler, progress)
    return join_shards(work)


def _provenance(work: Work) -> dict[str, object]:
    known = work.job.open_scorer().metadata
    return {
        "weights_hash": known.weights_hash,
        "model_sha256": work.job.model_hash,
        "layout": work.job.reader.layout.name,
        "conditions_hash": work.job.reader.conditions.hash,
        "files": [file.model_dump() for file in work.files],
    }


def _warn_of_duplicates(columns: Columns, output: Path) -> None:
    ids = np.stack([columns[name] for name in IDENTIFIERS], axis=1)
    n_duplicates = len(ids) - len(np.unique(ids, axis=0))
    if n_duplicates:
        logger.warning(
            "%s: %d events have the run, spill and event number of another one; evaluation and cut flows refuse them",
            output,
            n_duplicates,
        )
