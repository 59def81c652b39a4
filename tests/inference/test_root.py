"""The macro that analysts run: the score as a column of an RDataFrame, with ROOT itself."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import uproot

from na64ml.cli import main
from na64ml.events.reader import EventReader
from na64ml.inference import Scorer
from na64ml.resources import shipped

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
    onnx_file: Path, root_program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "cpp"
    assert main(["cpp", "--copy-to", str(folder), "--setup", "na64e_reference"]) == 0
    file = shipped("datasets") / "na64e_reference_b.root"
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
    np.testing.assert_allclose(columns["score"], expected.score, rtol=1e-6, atol=1e-5)
    np.testing.assert_array_equal(columns["passed"], passed)
    in_ecal = events.detector == events.detector_index("ECAL")
    energy = np.bincount(events.event[in_ecal], events.hits[in_ecal, 3], minlength=len(events))
    np.testing.assert_array_equal(filled[1:-1], np.histogram(energy[passed], bins=60, range=(0, 120))[0])
    assert 0 < passed.sum() < len(events)
