"""Paths, patterns, and files that are missing or damaged."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from na64ml.errors import InputError
from na64ml.events.reader import EventReader
from na64ml.events.root_files import expand, open_tree
from na64ml.resources import shipped

TreeFile = Callable[..., Path]
LayoutFile = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.root", "a.root", "run[1].root", "sub/c.root"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_patterns_are_sorted_and_each_file_comes_once(folder: Path) -> None:
    found = expand([folder / "b.root", folder / "[ab].root", folder / "**" / "c.root"])
    assert found == [str(folder / name) for name in ("b.root", "a.root", "sub/c.root")]


def test_relative_patterns(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert expand("*.root") == ["a.root", "b.root", "run[1].root"]


def test_a_file_whose_name_looks_like_a_pattern(folder: Path) -> None:
    assert expand(folder / "run[1].root") == [str(folder / "run[1].root")]


def test_shipped_files() -> None:
    assert expand("shipped:na64e_reference.root") == [str(shipped("datasets") / "na64e_reference.root")]
    assert len(expand("shipped:na64e_reference*.root")) == 2


def test_pattern_without_match(folder: Path) -> None:
    with pytest.raises(InputError, match=r"none\*\.root: no file matches"):
        expand([folder / "a.root", folder / "none*.root"])


def test_no_files_at_all() -> None:
    with pytest.raises(InputError, match="no input files"):
        expand([])


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.root: no such file"):
        EventReader("na64e_reference").read(tmp_path / "none.root")


@pytest.mark.parametrize("content", [b"", b"root", b"run,spill,event\n1,1,1\n" * 100, bytes(10_000)])
def test_not_a_root_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table.root"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"table\.root: not a readable ROOT file .*truncated, damaged"):
        EventReader("na64e_reference").read(path)


@pytest.mark.parametrize("fraction", [0.0001, 0.01, 0.3, 0.6, 0.9, 0.99, 0.9999])
def test_truncated_file(tmp_path: Path, reference_file: str, fraction: float) -> None:
    whole = Path(reference_file).read_bytes()
    path = tmp_path / "cut.root"
    path.write_bytes(whole[: int(len(whole) * fraction)])
    with pytest.raises(InputError, match=r"cut\.root: not a readable ROOT file"):
        EventReader("na64e_reference").read(path)


def test_damaged_basket_while_the_whole_file_is_open(tmp_path: Path, reference_file: str) -> None:
    """A copy has the identifier of its original; nothing of that may be taken for its content."""
    content = bytearray(Path(reference_file).read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = bytes(20_000)
    path = tmp_path / "damaged.root"
    path.write_bytes(content)
    reader = EventReader("na64e_reference")
    stream = reader.iterate(reference_file, step=1000)
    next(stream)
    with pytest.raises(InputError, match=r"damaged\.root: not a readable ROOT file"):
        reader.read(path)
    assert sum(map(len, stream)) == 4025


def test_a_copy_reads_while_the_original_is_open(tmp_path: Path, reference_file: str) -> None:
    copy = shutil.copy(reference_file, tmp_path / "copy.root")
    with open_tree(reference_file, "tree") as original, open_tree(str(copy), "tree") as second:
        assert second.file.file_path != original.file.file_path


def test_other_tree(tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any]) -> None:
    file = tree_file(tree="events", SRD_ene=np.ones((3, 3), dtype=np.float32))
    with pytest.raises(InputError, match=rf"{file}: has no tree 'tree', it has events; .*key 'tree'"):
        EventReader(layout_file(srd)).read(file)
    assert len(EventReader(layout_file(srd, tree="events")).read(file)) == 3
