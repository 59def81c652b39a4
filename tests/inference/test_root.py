"""The macro that analysts run: the score as a column of an RDataFrame, and the friend tree, with ROOT itself."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import uproot

from na64ml.cli import main
from na64ml.events.reader import EventReader
from na64ml.inference import Scorer

from .conftest import FAULTS, WriteFaulty

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"
ROOT_PACKAGE = "root==0.1a12"


@pytest.fixture(scope="session")
def root_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program ``root`` in an environment of its own; NA64ML_ROOT_ENV names one that exists already."""
    known = os.environ.get("NA64ML_ROOT_ENV")
    folder = Path(known) if known else tmp_path_factory.mktemp("root") / "env"
    program = folder / "bin" / "root"
    if not known:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        install = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--pre", ROOT_PACKAGE]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            reason = f"pip cannot install {ROOT_PACKAGE} here: {done.stderr.strip().splitlines()[-1:]}"
            if os.environ.get("NA64ML_REQUIRE_ROOT") == "1":
                pytest.fail(reason)
            pytest.skip(reason)
    return program


def run_root(program: Path, folder: Path, call: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [program, "-l", "-b", "-q", "-e", "std::cout << gROOT->GetVersion() << std::endl;", call],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_macro_scores_cuts_and_fills(
    onnx_file: Path, root_program: Path, write_faulty: WriteFaulty, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "cpp"
    assert main(["cpp", "--copy-to", str(folder), "--setup", "na64e_reference"]) == 0
    file = write_faulty(folder / "events.root", np.arange(0, 5025, 5))
    output = run_root(root_program, folder, f'score_tree.C("{file}", "{onnx_file}", "signal_90", "out.root")')
    with capsys.disabled():
        sys.stdout.write(f"\nROOT {output.splitlines()[0]}\n")

    scorer = Scorer(onnx_file, micro_batch=1)
    events = EventReader("na64e_reference").read(file)
    expected = scorer.score(events)
    passed = scorer.passed(expected, "signal_90")
    assert f"{passed.sum()} of {len(events)} events pass signal_90" in output
    with uproot.open(folder / "out.root") as root:
        columns = root["scores"].arrays(library="np")
        filled = root["ecal_energy"].values(flow=True)
    np.testing.assert_array_equal(np.stack([columns[n] for n in ("run", "spill", "spillevent")], axis=1), events.ids)
    np.testing.assert_array_equal(columns["status"], expected.status)
    assert expected.status[: len(FAULTS)].tolist() == FAULTS
    np.testing.assert_allclose(columns["score"], expected.score, rtol=1e-6, atol=1e-5)
    np.testing.assert_array_equal(columns["passed"], passed)
    in_ecal = events.detector == events.detector_index("ECAL")
    energy = np.bincount(events.event[in_ecal], events.hits[in_ecal, 3].astype(float), minlength=len(events))
    np.testing.assert_array_equal(filled[1:-1], np.histogram(energy[passed], bins=60, range=(0, 120))[0])
    assert 0 < passed.sum() < len(events)

    (friend,) = [
        code for code in re.findall(r"^```cpp\n(.*?)^```$", PAGE.read_text(), re.M | re.S) if "AddFriend" in code
    ]
    assert "scores.score >= 6.2" in friend
    friend = friend.replace("6.2", str(scorer.metadata.thresholds["signal_90"]))
    (folder / "friend_tree.C").write_text(
        f'void friend_tree() {{\n{friend}std::cout << *selected.Count() << " pass\\n";\n}}\n'
    )
    assert main(["score", str(file), "--model", str(onnx_file), "--out", str(folder / "scores.root")]) == 0
    assert f"{passed.sum()} pass" in run_root(root_program, folder, "friend_tree.C")
