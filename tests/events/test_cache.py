"""The memory-mapped cache holds what the reader gives, once, with its provenance."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from na64ml import __version__
from na64ml.errors import InputError, Na64mlError
from na64ml.events.batch import EventBatch
from na64ml.events.cache import MANIFEST, build_cache, open_cache, read_manifest
from na64ml.events.reader import EventReader
from na64ml.setups.conditions import Conditions

TreeFile = Callable[..., Path]
LayoutFile = Callable[..., str]
COLUMNS = {"mass": {"branch": "m", "optional": True}}


def energies(n_events: int = 3, value: float = 1.0) -> np.ndarray:
    return np.full((n_events, 3), value, dtype=np.float32)


@pytest.fixture
def reader(layout_file: LayoutFile, srd: dict[str, Any]) -> EventReader:
    return EventReader(layout_file(srd, columns=COLUMNS))


def assert_same(left: EventBatch, right: EventBatch) -> None:
    for item in fields(EventBatch):
        if item.name == "columns":
            assert left.columns.keys() == right.columns.keys()
            for name, values in left.columns.items():
                np.testing.assert_array_equal(values, right.columns[name])
        else:
            np.testing.assert_array_equal(getattr(left, item.name), getattr(right, item.name))


def is_mapped(values: NDArray[Any]) -> bool:
    base: Any = values
    while base is not None:
        if isinstance(base, np.memmap):
            return True
        base = getattr(base, "base", None)
    return False


def test_the_cache_holds_what_the_reader_gives(tmp_path: Path) -> None:
    reader = EventReader("na64e_reference")
    files = ["shipped:na64e_reference_b.root", "shipped:na64e_reference.root"]
    steps: list[int] = []
    cached = open_cache(build_cache(reader, files, tmp_path, steps.append))
    assert_same(cached, reader.read(files))
    assert sum(steps) == len(cached) == 7035
    arrays: tuple[NDArray[Any], ...] = (
        cached.hits,
        cached.detector,
        cached.channel,
        cached.ids,
        cached.track,
        cached.columns["mass"],
    )
    for array in arrays:
        assert is_mapped(array)
        assert not array.flags.writeable


def test_the_second_call_writes_nothing(tree_file: TreeFile, reader: EventReader, tmp_path: Path) -> None:
    file = tree_file(SRD_ene=energies())
    folder = build_cache(reader, file, tmp_path / "cache")
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    calls: list[int] = []
    assert build_cache(reader, [file], tmp_path / "cache", calls.append) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert calls == []
    assert list((tmp_path / "cache").iterdir()) == [folder]


def test_what_enters_the_events_enters_the_name(
    tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any], reader: EventReader, tmp_path: Path
) -> None:
    file = tree_file(SRD_ene=energies())
    known = reader.conditions.ranges[0]
    calibrated = Conditions(setup="na64e_reference", ranges=(known.model_copy(update={"gains": {"SRD": 2.0}}),))
    names = [
        build_cache(reader, file, tmp_path / "cache"),
        build_cache(EventReader(layout_file(srd)), file, tmp_path / "cache"),
        build_cache(EventReader(reader.layout, conditions=calibrated), file, tmp_path / "cache"),
    ]
    tree_file(SRD_ene=energies(value=2.0))
    names.append(build_cache(reader, file, tmp_path / "cache"))
    assert len(set(names)) == 4
    assert open_cache(names[2]).hits[0, 3] == 2 * open_cache(names[0]).hits[0, 3]
    assert open_cache(names[3]).hits[0, 3] == 2


def test_the_name_of_a_file_does_not_matter(tree_file: TreeFile, reader: EventReader, tmp_path: Path) -> None:
    file = tree_file(SRD_ene=energies())
    first = build_cache(reader, file, tmp_path / "cache")
    assert build_cache(reader, file.rename(tmp_path / "moved.root"), tmp_path / "cache") == first


def test_the_manifest_tells_where_the_events_come_from(
    tree_file: TreeFile, reader: EventReader, tmp_path: Path
) -> None:
    files = [tree_file("a.root", SRD_ene=energies()), tree_file("b.root", 2, run=6501, SRD_ene=energies(2))]
    folder = build_cache(reader, files, tmp_path / "cache")
    manifest = read_manifest(folder)
    assert [(s.file, s.n_events) for s in manifest.sources] == [(str(files[0]), 3), (str(files[1]), 2)]
    assert [s.sha256 for s in manifest.sources] == [hashlib.sha256(f.read_bytes()).hexdigest() for f in files]
    assert (manifest.n_events, manifest.n_hits) == (5, 15)
    assert manifest.na64ml_version == __version__
    assert (manifest.layout, manifest.layout_hash) == ("synthetic", reader.layout.hash)
    assert (manifest.setup, manifest.geometry_hash) == ("na64e_reference", reader.setup.geometry_hash)
    assert manifest.conditions_hash == reader.conditions.hash
    assert manifest.contract == reader.contract
    assert manifest.data_hash == folder.name


@pytest.mark.parametrize("copies", [1, 2])
def test_duplicate_events_are_an_error(tree_file: TreeFile, reader: EventReader, tmp_path: Path, copies: int) -> None:
    """Within one file, and across files."""
    if copies == 1:
        files = [tree_file("a.root", spillevent=np.array([0, 1, 0], dtype=np.int32), SRD_ene=energies())]
    else:
        files = [tree_file("a.root", SRD_ene=energies()), tree_file("b.root", first=2, SRD_ene=energies())]
    with pytest.raises(InputError, match=r"a\.root.*run=6500 spill=1 spillevent=[02] occurs more than once"):
        build_cache(reader, files, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_failure_leaves_nothing_behind(tree_file: TreeFile, reader: EventReader, tmp_path: Path) -> None:
    good, bad = tree_file("a.root", SRD_ene=energies()), tree_file("b.root", first=3, other=energies())
    with pytest.raises(InputError, match=r"b\.root: .*'SRD_ene'"):
        build_cache(reader, [good, bad], tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("dtype", [None, np.float64])
def test_optional_branches_must_agree_between_files(
    tree_file: TreeFile, reader: EventReader, tmp_path: Path, dtype: Any
) -> None:
    first = tree_file("a.root", SRD_ene=energies(), m=np.ones(3, dtype=np.float32))
    optional = {} if dtype is None else {"m": np.ones(3, dtype=dtype)}
    second = tree_file("b.root", first=3, SRD_ene=energies(), **optional)
    with pytest.raises(InputError, match=r"b\.root: .*differing: mass"):
        build_cache(reader, [first, second], tmp_path / "cache")


def test_empty_files(tree_file: TreeFile, reader: EventReader, tmp_path: Path) -> None:
    empty, whole = tree_file("a.root", n_events=0, SRD_ene=energies(0)), tree_file("b.root", SRD_ene=energies())
    with pytest.raises(InputError, match=r"a\.root: tree 'tree' has no events"):
        build_cache(reader, empty, tmp_path / "cache")
    folder = build_cache(reader, [empty, whole], tmp_path / "cache")
    assert [source.n_events for source in read_manifest(folder).sources] == [0, 3]


def test_events_without_hits(tree_file: TreeFile, reader: EventReader, tmp_path: Path) -> None:
    events = open_cache(build_cache(reader, tree_file(SRD_ene=energies(value=0.0)), tmp_path / "cache"))
    assert (len(events), events.n_hits) == (3, 0)


def test_a_truncated_cache_is_not_used(tree_file: TreeFile, reader: EventReader, tmp_path: Path) -> None:
    folder = build_cache(reader, tree_file(SRD_ene=energies()), tmp_path / "cache")
    hits = (folder / "hits.bin").read_bytes()
    (folder / "hits.bin").write_bytes(hits[:-4])
    with pytest.raises(InputError, match=rf"hits\.bin: has {len(hits) - 4} bytes, {len(hits)} are needed; delete"):
        open_cache(folder)
    (folder / "hits.bin").unlink()
    with pytest.raises(InputError, match=r"hits\.bin"):
        open_cache(folder)


def test_a_folder_in_the_way(tree_file: TreeFile, reader: EventReader, tmp_path: Path) -> None:
    folder = build_cache(reader, tree_file(SRD_ene=energies()), tmp_path / "cache")
    (folder / MANIFEST).unlink()
    with pytest.raises(InputError, match=rf"{folder}: .*delete it"):
        build_cache(reader, tmp_path / "events.root", tmp_path / "cache")


def test_what_is_not_a_cache(tree_file: TreeFile, reader: EventReader, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not an event cache"):
        open_cache(tmp_path)
    folder = build_cache(reader, tree_file(SRD_ene=energies()), tmp_path / "cache")
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | {"schema_version": 99}))
    with pytest.raises(InputError, match="cache schema 99"):
        open_cache(folder)
    (folder / MANIFEST).write_text(json.dumps(manifest)[:100])
    with pytest.raises(Na64mlError, match=r"manifest\.json"):
        open_cache(folder)


def test_missing_input(reader: EventReader, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.root: cannot be read"):
        build_cache(reader, tmp_path / "none.root", tmp_path / "cache")


def test_files_on_servers_have_to_be_copied(reader: EventReader, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"root://host//a\.root: .*copy it first"):
        build_cache(reader, "root://host//a.root", tmp_path)
