import os
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import uproot

from na64ml.cli import main
from na64ml.cli.score import summary
from na64ml.inference.status import BAD_INPUT, BLINDED, SCORED

Score = Callable[..., int]


def test_the_summary_counts_every_status() -> None:
    assert summary(Counter({SCORED: 1200})) == "1,200 events (scored 1,200)"
    text = summary(Counter({SCORED: 7, BAD_INPUT: 2}))
    assert text.startswith("9 events (scored 7, bad input")
    assert text.endswith(" 2)")


def test_the_number_of_blinded_data_cannot_be_computed_from_the_summary() -> None:
    assert summary(Counter({SCORED: 90, BLINDED: 10})) == "100 events"
    text = summary(Counter({SCORED: 90, BLINDED: 10, BAD_INPUT: 3}))
    assert text.startswith("103 events (bad input")
    assert text.endswith(" 3)")
    assert "90" not in text


@pytest.fixture
def score(onnx_file: Path, write_file: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Score:
    """Score two files of 30 and 20 events in shards of 10, through a pattern and in a folder with an odd name."""
    folder = tmp_path / "it's $5"
    folder.mkdir()
    monkeypatch.chdir(folder)
    write_file(folder / "data 1.root", np.arange(30))
    write_file(folder / "data 2.root", np.arange(400, 420))

    def command(*options: str, out: str = "out.root") -> int:
        fixed = ["--model", str(onnx_file), "--shard-events", "10", "--out", out]
        return main(["score", "data *.root", *fixed, *options])

    return command


def columns(path: str) -> dict[str, np.ndarray]:
    with uproot.open(path) as root:
        return root["scores"].arrays(library="np")


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert list(found) == list(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


def test_processes_formats_and_parts_do_not_change_the_scores(score: Score) -> None:
    assert score(out="one.root") == 0
    assert score("--workers", "2", "--format", "rntuple", out="two.root") == 0
    with uproot.open("two.root") as root:
        assert root["scores"].classname == "ROOT::RNTuple"
    for part in range(3):
        assert score("--part", f"{part}/3", out="three.root") == 0
        assert not Path("three.root").exists()
    assert len(list(Path("three.root.shards").glob("*.npz"))) == 5
    assert score(out="three.root") == 0
    expected = columns("one.root")
    assert len(expected["run"]) == 50
    same(columns("two.root"), expected)
    same(columns("three.root"), expected)


def test_a_slurm_job_file_runs(score: Score) -> None:
    assert score(out="one.root") == 0
    assert score("--batch", "slurm", "--jobs", "2") == 0
    script = Path("out.root.slurm.sh").resolve()
    assert "#SBATCH --array=0-1" in script.read_text()
    for job in "01":
        environment = os.environ | {"SLURM_ARRAY_TASK_ID": job}
        done = subprocess.run(["bash", script], env=environment, cwd="/", capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert len(list(Path("out.root.shards").glob("*.npz"))) == 5
    assert score() == 0
    same(columns("out.root"), columns("one.root"))


def submit_arguments(line: str) -> list[str]:
    """Arguments of an HTCondor submit file as HTCondor reads them: words in single quotes, doubled for one."""
    words, quoted, text = [""], False, line.removeprefix('arguments = "').removesuffix('"').replace("$(DOLLAR)", "$")
    for piece in text.replace("''", "\0").split("'"):
        if quoted:
            words[-1] += piece.replace("\0", "'")
        else:
            first, *others = piece.replace("\0", "'").split(" ")
            words[-1] += first
            words += others
        quoted = not quoted
    return [word for word in words if word]


def test_an_htcondor_job_file_holds_the_command(score: Score, onnx_file: Path, tmp_path: Path) -> None:
    assert score("--batch", "htcondor", "--jobs", "7", "--unblind", out="it's.root") == 0
    lines = Path("it's.root.htcondor.sub").read_text().splitlines()
    assert lines[-1] == "queue 7"
    assert f"initialdir = {Path.cwd()}" in lines
    (arguments,) = (line for line in lines if line.startswith("arguments"))
    words = submit_arguments(arguments)
    assert words[:4] == ["-m", "na64ml.cli", "score", "data *.root"]
    assert words[words.index("--model") + 1] == str(onnx_file)
    assert words[words.index("--out") + 1] == "it's.root"
    assert words[-3:] == ["--unblind", "--part", "$(Process)/7"]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--workers", "0"), "--workers 0: at least one"),
        (("--shard-events", "0"), "--shard-events 0: at least one"),
        (("--part", "3/3"), "--part 3/3: write I/N with I from 0 to N-1"),
        (("--part", "first"), "--part first: write I/N"),
        (("--batch", "slurm", "--out", 'a"b.root'), "cannot hold"),
    ],
)
def test_wrong_options_are_named(
    score: Score, options: tuple[str, ...], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert score(*options) == 2
    assert named.replace(" ", "") in "".join(capsys.readouterr().err.split())
