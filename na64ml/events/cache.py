"""The training cache: hit columns in memory-mapped files, with the provenance of every event."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from na64ml import __version__
from na64ml.errors import InputError
from na64ml.events.atomic import atomic_path
from na64ml.events.batch import EventBatch
from na64ml.events.beam_energy import warn_of_other_energies
from na64ml.events.contract import Contract
from na64ml.events.reader import EventReader
from na64ml.events.root_files import expand, is_remote
from na64ml.events.splits import check_unique
from na64ml.yaml_files import StrictModel, content_hash, load_model

logger = logging.getLogger(__name__)

MANIFEST = "manifest.json"
SCHEMA = 1
_ARRAYS = ("hits", "detector", "channel", "ids", "track", "process", "weight")


class Source(StrictModel):
    """One input file."""

    file: str
    sha256: str
    n_events: int


class Stored(StrictModel):
    """One column on disk."""

    dtype: str
    shape: tuple[int, ...]


class Manifest(StrictModel):
    """What a cache holds and where it comes from."""

    schema_version: int = SCHEMA
    na64ml_version: str = __version__
    layout: str
    layout_hash: str
    setup: str
    geometry_hash: str
    conditions_hash: str
    contract: Contract
    detectors: tuple[str, ...]
    processes: tuple[str, ...]
    n_events: int
    n_hits: int
    sources: tuple[Source, ...]
    arrays: dict[str, Stored]

    @property
    def data_hash(self) -> str:
        """Hash of the events: input files, layout, geometry and conditions."""
        return _data_hash(self.layout_hash, self.geometry_hash, self.conditions_hash, [s.sha256 for s in self.sources])


def build_cache(
    reader: EventReader,
    files: str | Path | Sequence[str | Path],
    root: Path,
    progress: Callable[[int], None] = lambda n_events: None,
) -> Path:
    """Write the events of ``files`` to a folder below ``root`` named by their hash, unless it is there already.

    Parameters
    ----------
    progress
        Called with the number of events of each batch written.

    Raises
    ------
    InputError
        If the files cannot be read or are on a server, or an event occurs twice; nothing is left behind.
    """
    paths = expand(files)
    remote = [path for path in paths if is_remote(path)]
    if remote:
        raise InputError(f"{remote[0]}: the event cache needs files on this machine; copy it first")
    digests = [sha256(Path(path)) for path in paths]
    key = _data_hash(reader.layout.hash, reader.setup.geometry_hash, reader.conditions.hash, digests)
    folder = root / key
    if (folder / MANIFEST).is_file():
        logger.info("using the event cache %s", folder)
        return folder
    if folder.exists():
        raise InputError(f"{folder}: is in the way of the event cache and has no {MANIFEST}; delete it")
    with atomic_path(folder) as part:
        part.mkdir()
        sources = []
        with _CacheWriter(part) as writer:
            for path, digest in zip(paths, digests, strict=True):
                before = writer.n_events
                for batch in reader.iterate_file(path):
                    writer.append(batch, path)
                    progress(len(batch))
                sources.append(Source(file=path, sha256=digest, n_events=writer.n_events - before))
        reader.require_events(writer.n_events, paths)
        manifest = Manifest(
            layout=reader.layout.name,
            layout_hash=reader.layout.hash,
            setup=reader.setup.name,
            geometry_hash=reader.setup.geometry_hash,
            conditions_hash=reader.conditions.hash,
            contract=reader.contract,
            detectors=reader.detectors,
            processes=reader.processes,
            n_events=writer.n_events,
            n_hits=writer.n_hits,
            sources=tuple(sources),
            arrays=writer.stored,
        )
        (part / MANIFEST).write_text(manifest.model_dump_json(indent=1))
        events = open_cache(part)
        check_unique(events.ids, ", ".join(paths))
        warn_of_other_energies(events, reader.setup, reader.conditions)
    logger.info("wrote %d events to the event cache %s", manifest.n_events, folder)
    return folder


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a cache.

    Raises
    ------
    InputError
        If the folder is not a cache of this schema.
    """
    if not (folder / MANIFEST).is_file():
        raise InputError(f"{folder}: is not an event cache (no {MANIFEST}); give the folder that training made")
    manifest = load_model(Manifest, folder / MANIFEST)
    if manifest.schema_version != SCHEMA:
        raise InputError(
            f"{folder}: cache schema {manifest.schema_version}, this version reads {SCHEMA}; delete the folder"
        )
    return manifest


def open_cache(folder: Path) -> EventBatch:
    """Open a cache as one memory-mapped batch; nothing is read until it is used.

    Raises
    ------
    InputError
        If the folder is not a cache, or a file of it does not have the size the manifest states.
    """
    manifest = read_manifest(folder)
    arrays = {name: _map(folder, name, stored) for name, stored in manifest.arrays.items()}
    counts = arrays.pop("count")
    return EventBatch(
        detectors=manifest.detectors,
        processes=manifest.processes,
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        **{name: arrays.pop(name) for name in _ARRAYS},
        columns={name.removeprefix("column."): values for name, values in arrays.items()},
    )


class _CacheWriter(ExitStack):
    """Appends batches to one file per column."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._files: dict[str, BinaryIO] = {}
        self.stored: dict[str, Stored] = {}
        self.n_events = 0
        self.n_hits = 0

    def append(self, batch: EventBatch, source: str) -> None:
        columns: dict[str, NDArray[Any]] = {name: getattr(batch, name) for name in _ARRAYS}
        columns["count"] = batch.hits_per_event
        columns |= {f"column.{name}": values for name, values in batch.columns.items()}
        if not self.stored:
            for name, values in columns.items():
                self._files[name] = self.enter_context((self._folder / f"{name}.bin").open("wb"))
                self.stored[name] = Stored(dtype=values.dtype.str, shape=(0, *values.shape[1:]))
        found = {name: values.dtype.str for name, values in columns.items()}
        known = {name: stored.dtype for name, stored in self.stored.items()}
        if found != known:
            different = sorted(name.removeprefix("column.") for name, _ in found.items() ^ known.items())
            raise InputError(
                f"{source}: does not have the same optional branches, of the same types, as the files before it "
                f"(differing: {', '.join(dict.fromkeys(different))}); cache these files apart or leave the columns out "
                "of the layout"
            )
        for name, values in columns.items():
            np.ascontiguousarray(values).tofile(self._files[name])
            n_rows, *rest = self.stored[name].shape
            self.stored[name] = Stored(dtype=found[name], shape=(n_rows + len(values), *rest))
        self.n_events += len(batch)
        self.n_hits += batch.n_hits


def _map(folder: Path, name: str, stored: Stored) -> NDArray[Any]:
    path = folder / f"{name}.bin"
    size = int(np.prod(stored.shape)) * np.dtype(stored.dtype).itemsize
    found = path.stat().st_size if path.is_file() else -1
    if found != size:
        raise InputError(
            f"{path}: has {found} bytes, {size} are needed; delete the folder {folder} and rebuild the cache"
        )
    if size == 0:
        return np.empty(stored.shape, dtype=stored.dtype)
    return np.asarray(np.memmap(path, dtype=stored.dtype, mode="r", shape=stored.shape))


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from error


def _data_hash(layout: str, geometry: str, conditions: str, files: Sequence[str]) -> str:
    return content_hash([SCHEMA, layout, geometry, conditions, list(files)])
