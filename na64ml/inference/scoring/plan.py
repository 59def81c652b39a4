"""What there is to score: files, cut into shards."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from na64ml.errors import InputError
from na64ml.events.reader import EventReader
from na64ml.events.root_files import expand, is_remote, open_tree
from na64ml.yaml_files import StrictModel, content_hash

logger = logging.getLogger(__name__)

SHARD_EVENTS = 50_000
"""Events of a shard: about ten seconds of the default network."""


class InputFile(StrictModel):
    """A file as it was when the plan was made."""

    path: str
    n_entries: int
    n_bytes: int
    uuid: str


@dataclass(frozen=True)
class Shard:
    """Entries ``start`` to ``stop`` of one file, and where their scores are kept."""

    number: int
    file: InputFile
    start: int
    stop: int
    scores: Path

    def __len__(self) -> int:
        return self.stop - self.start

    def __str__(self) -> str:
        return f"{self.file.path}, entries {self.start:,} to {self.stop:,}"


def survey(reader: EventReader, patterns: str | Path | Sequence[str | Path]) -> list[InputFile]:
    """Open every file once, so that what is missing is known before anything is scored.

    Raises
    ------
    InputError
        Naming all files that cannot be read or do not have the layout's branches, or if none has events.
    """
    paths = expand(patterns)
    files, faults = [], []
    for path in paths:
        try:
            files.append(_look_at(reader, path))
        except InputError as error:
            faults.append(str(error))
    if faults:
        summary = f"{len(faults)} of {len(paths)} files cannot be scored, nothing was done"
        raise InputError("\n".join(faults if len(paths) == 1 else [summary, *faults]))
    reader.require_events(sum(file.n_entries for file in files), paths)
    _warn_of_copies(files)
    return files


def shards(files: Sequence[InputFile], size: int, job_hash: str, folder: Path) -> list[Shard]:
    """Cut the files into shards of at most ``size`` events.

    The scores of a shard lie in a file of ``folder`` that is named by everything they depend on: the job (network,
    layout, setup, ...), the input file and the entry range. They stay valid when files are added or taken away.
    """
    return [
        Shard(number, file, start, stop, folder / f"{_name(job_hash, file, start, stop)}.npz")
        for number, (file, start, stop) in enumerate(_ranges(files, size))
    ]


def _ranges(files: Sequence[InputFile], size: int) -> Iterator[tuple[InputFile, int, int]]:
    for file in files:
        for start in range(0, file.n_entries, size):
            yield file, start, min(start + size, file.n_entries)


def _name(job_hash: str, file: InputFile, start: int, stop: int) -> str:
    return content_hash({"job": job_hash, "file": file.model_dump(), "start": start, "stop": stop})


def _look_at(reader: EventReader, path: str) -> InputFile:
    with open_tree(path, reader.layout.tree) as tree:
        reader.branches(tree.keys(recursive=False), path)
        return InputFile(
            path=path if is_remote(path) else str(Path(path).resolve()),
            n_entries=int(tree.num_entries),
            n_bytes=int(tree.file.source.num_bytes),
            uuid=str(tree.file.uuid),
        )


def _warn_of_copies(files: Sequence[InputFile]) -> None:
    seen: dict[tuple[str, int], str] = {}
    for file in files:
        first = seen.setdefault((file.uuid, file.n_bytes), file.path)
        if first != file.path:
            logger.warning("%s: is a copy of %s; its events are scored twice", file.path, first)
