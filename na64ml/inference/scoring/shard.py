"""Scoring one shard, and keeping its scores."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import InputError, Na64mlError
from na64ml.events.atomic import atomic_path
from na64ml.events.reader import DEFAULT_STEP
from na64ml.inference.friend import blind, friend_columns
from na64ml.inference.scoring.job import Job
from na64ml.inference.scoring.plan import Shard
from na64ml.selection.viewer import make_viewer

Columns = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Outcome:
    """What became of a shard; ``fault`` says why it could not be scored."""

    shard: Shard
    fault: str | None = None


def score_shard(shard: Shard, job: Job) -> Outcome:
    """Score a shard and write its scores to their file, atomically.

    Events that cannot be read or scored are the fault of this shard alone; the others can go on.

    Raises
    ------
    ConfigError
        If the network cannot be opened.
    InputError
        If the scores cannot be written, for instance because the disk is full.
    """
    scorer = job.open_scorer()
    parts: list[Columns] = []
    done = shard.start
    make_view = make_viewer(job.reader)
    try:
        for events in job.reader.iterate_file(shard.file.path, start=shard.start, stop=shard.stop):
            scores = scorer.score(events, make_view(events))
            if job.hide is not None:
                scores = blind(scores, job.hide(events))
            parts.append(friend_columns(events.ids, scores, scorer.metadata.classes))
            done += len(events)
        if done != shard.stop:
            return Outcome(shard, f"{shard}: only {done - shard.start:,} events are there; the file has changed")
    except Na64mlError as error:
        stop = min(done + DEFAULT_STEP, shard.stop)
        return Outcome(shard, f"{shard.file.path}, entries {done:,} to {stop:,}: {error}")
    _keep(shard, {name: np.concatenate([part[name] for part in parts]) for name in parts[0]})
    return Outcome(shard)


def read_scores(shard: Shard) -> Columns | None:
    """Return the scores of a shard; None if there are none, or they are damaged."""
    try:
        with np.load(shard.scores) as file:
            columns = {name: file[name] for name in file.files}
    except (OSError, ValueError, BadZipFile, EOFError):
        return None
    return columns if {len(values) for values in columns.values()} == {len(shard)} else None


def _keep(shard: Shard, columns: Columns) -> None:
    try:
        with atomic_path(shard.scores) as part, part.open("wb") as file:
            content: dict[str, Any] = dict(columns)
            np.savez(file, **content)
    except OSError as error:
        raise InputError(cannot_write(shard.scores, f"the scores of {shard}", error)) from error


def cannot_write(path: Path, what: str, error: OSError) -> str:
    """Return the message for a file that could not be written."""
    return (
        f"{path}: {what} cannot be written ({error.strerror or error}); make room or choose another output, and run "
        "the same command again, finished shards are kept"
    )
