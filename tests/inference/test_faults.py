"""Faults of files, networks and disks: counted under a status, or an error with file, place, cause and remedy."""

import json
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import onnx
import pytest
import uproot

from na64ml.cli import main
from na64ml.inference.metadata import PROPERTY
from na64ml.inference.status import SCORED

from .conftest import FAULTS, WriteFaulty

WriteFile = Callable[..., Path]
Run = Callable[..., tuple[int, str]]
EVENTS = np.arange(0, 90)


@pytest.fixture
def run(onnx_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Score files with the command; return its exit code and what it said, without line breaks."""
    monkeypatch.chdir(tmp_path)

    def command(
        *files: Path, model: Path = onnx_file, out: str = "out.root", options: tuple[str, ...] = ()
    ) -> tuple[int, str]:
        capsys.readouterr()
        code = main(["score", *map(str, files), "--model", str(model), "--out", out, *options])
        text = capsys.readouterr().err
        assert "Traceback" not in text
        return code, "".join(text.split())

    return command


def said(text: str, *words: str) -> None:
    for word in words:
        assert word.replace(" ", "") in text, f"'{word}' is not in: {text}"


def statuses(path: Path) -> list[int]:
    with uproot.open(path) as root:
        return root["scores"]["status"].array(library="np").tolist()


def test_a_corrupt_basket_stops_its_shard_only(run: Run, write_file: WriteFile, tmp_path: Path) -> None:
    file = write_file(tmp_path / "data.root", EVENTS, cycles=4)
    whole = file.read_bytes()
    with uproot.open(file) as root:
        branch = root["tree"]["ECAL_ene"]
        assert branch.num_baskets == 4
        start, length = int(branch.member("fBasketSeek")[2]), int(branch.member("fBasketBytes")[2])
    file.write_bytes(whole[: start + 200] + bytes(length - 200) + whole[start + length :])
    shards = ("--shard-events", "90")
    code, text = run(file, options=shards)
    assert code == 2
    said(text, "1 of 4 shards could not be scored, the others are finished and kept", "take them out of the list")
    said(text, "data.root, entries 180 to 270:", "damaged")
    assert not (tmp_path / "out.root").exists()
    assert len(list((tmp_path / "out.root.shards").glob("*.npz"))) == 3
    file.write_bytes(whole)
    code, text = run(file, options=shards)
    assert code == 0
    said(text, "3 of 4 shards are finished")
    assert statuses(tmp_path / "out.root") == [SCORED] * 360
    assert not (tmp_path / "out.root.shards").exists()


def test_one_of_many_files_without_a_branch(run: Run, write_file: WriteFile, tmp_path: Path) -> None:
    files = [write_file(tmp_path / f"{name}.root", EVENTS[:5]) for name in "abc"]
    write_file(files[1], EVENTS[:5], drop=("HCAL_ene",))
    code, text = run(*files)
    assert code == 2
    said(
        text,
        "1 of 3 files cannot be scored, nothing was done",
        "b.root: tree 'tree': branch 'HCAL_ene'",
        "na64ml inspect",
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.root", "b.root", "c.root"]
    assert run(files[0], files[2])[0] == 0
    assert len(statuses(tmp_path / "out.root")) == 10


def test_impossible_energies_and_numbers_of_hits_have_a_status(
    run: Run, write_faulty: WriteFaulty, tmp_path: Path
) -> None:
    file = write_faulty(tmp_path / "bad.root", EVENTS[:6])
    code, text = run(file)
    assert code == 0
    assert statuses(tmp_path / "out.root") == FAULTS
    said(text, "6 events (scored 1, no calorimeter hits 1, truncated (more hits than the cap) 1, bad input")
    with uproot.open(tmp_path / "out.root") as root:
        assert np.isnan(root["scores"]["score"].array(library="np")).tolist() == [False] + [True] * 5


def test_events_of_another_detector(run: Run, write_file: WriteFile, tmp_path: Path) -> None:
    file = write_file(tmp_path / "data.root", EVENTS[:5])
    code, text = run(file, options=("--layout", "reco2018tree"))
    assert code == 2
    said(text, "the events do not fit the network (network / events)", "Use a layout with these detectors")


def with_metadata(onnx_file: Path, path: Path, change: Callable[[dict], object]) -> Path:
    """A copy of a network with other metadata; none if the change returns None."""
    model = onnx.load(onnx_file)
    (entry,) = model.metadata_props
    content = change(json.loads(entry.value))
    model.metadata_props.clear()
    if content is not None:
        entry = model.metadata_props.add()
        entry.key, entry.value = PROPERTY, json.dumps(content)
    onnx.save(model, path)
    return path


def test_networks_that_must_not_be_used(run: Run, write_file: WriteFile, onnx_file: Path, tmp_path: Path) -> None:
    file = write_file(tmp_path / "data.root", EVENTS[:5])
    short = tmp_path / "short.onnx"
    short.write_bytes(onnx_file.read_bytes()[:-5000])
    faults = {
        short: ("short.onnx: is not an ONNX network file, or a damaged one", "na64ml export"),
        with_metadata(onnx_file, tmp_path / "newer.onnx", lambda content: content | {"schema_version": 2}): (
            "newer.onnx: its metadata are of schema 2, schema 1 is needed",
            "export the network again",
        ),
        with_metadata(onnx_file, tmp_path / "more.onnx", lambda content: content | {"more": 2}): (
            "more.onnx: its metadata are not of schema 1",
            "more",
        ),
        with_metadata(onnx_file, tmp_path / "bare.onnx", lambda content: None): (
            "bare.onnx: has no metadata property 'na64ml'",
            "na64ml export",
        ),
    }
    for model, words in faults.items():
        code, text = run(file, model=model)
        assert code == 2
        said(text, *words)
    code, text = run(file, options=("--provider", "AbacusExecutionProvider"))
    assert code == 2
    said(text, "execution provider 'AbacusExecutionProvider': this onnxruntime has", "CPUExecutionProvider; use one of")
    assert not list(tmp_path.glob("out*"))


def test_outputs_that_cannot_be_written(run: Run, write_file: WriteFile, tmp_path: Path) -> None:
    file = write_file(tmp_path / "data.root", EVENTS[:5])
    code, text = run(file, out="/proc/na64ml/out.root")
    assert code == 2
    said(text, "/proc/na64ml/out.root", "cannot be written", "choose another output")
    (tmp_path / "taken.root").mkdir()
    code, text = run(file, out="taken.root")
    assert code == 2
    said(text, "taken.root", "is a folder", "choose another output")


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Let writing fail as on a full disk, when a file gets larger than ``size`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_loses_nothing_that_is_finished(run: Run, write_file: WriteFile, tmp_path: Path) -> None:
    file = write_file(tmp_path / "data.root", EVENTS)
    (tmp_path / "out.root").write_text("scores of last year")
    shards = ("--shard-events", "10")
    with files_of_at_most(1_000):
        code, text = run(file, options=shards)
    assert code == 2
    said(
        text, "the scores of", "data.root, entries 0 to 10 cannot be written", "make room", "run the same command again"
    )
    with files_of_at_most(6_000):
        code, text = run(file, options=shards)
    assert code == 2
    said(text, "out.root: the friend tree cannot be written", "make room", "finished shards are kept")
    assert (tmp_path / "out.root").read_text() == "scores of last year"
    code, text = run(file, options=shards)
    assert code == 0
    said(text, "9 of 9 shards are finished")
    assert statuses(tmp_path / "out.root") == [SCORED] * 90
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.root", "out.root"]
