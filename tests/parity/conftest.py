"""The C++ scorer as a user gets it: copied by the command, built with CMake, run as a program."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from na64ml.cli import main
from na64ml.events.batch import EventBatch
from na64ml.inference.raw_arrays import write_arrays
from na64ml.setups.conditions import Conditions, load_conditions
from na64ml.setups.setup import Setup, load_setup

PROJECT = Path(__file__).parent / "cpp"
PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"

TESTED_CONDITIONS = {
    "setup": "na64e_reference",
    "ranges": [
        {"runs": {"value": [6500, 6510], "source": "C"}, "impact_cell": {"value": [3, 3], "source": "C"}},
        {
            "runs": {"value": [6511, 6511], "source": "C"},
            "impact_cell": {"value": [2, 3], "source": "C"},
            "gains": {
                "HCAL": 1.25,
                "SRD": [0.5, 1.5, 2.0],
            },
            "dead": {"ECAL": [[1, 3, 3], [0, 2, 2]]},
        },
    ],
}
"""Two run ranges; the second has gains, dead cells and another impact cell."""


@dataclass(frozen=True)
class CppScores:
    """What the C++ scorer wrote for each event."""

    score: np.ndarray
    probability: np.ndarray
    status: np.ndarray
    passed: dict[str, np.ndarray]


@dataclass(frozen=True)
class CppScorer:
    """The programs built from the shipped headers."""

    programs: Path
    setup: Setup
    conditions: Conditions

    def run(self, program: str, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a program; 1 is its exit code for errors it explains."""
        found = next(path for path in (self.programs / program, self.programs / "na64ml" / program) if path.is_file())
        done = subprocess.run([found, *words], input=text, capture_output=True, text=True, check=False)
        assert done.returncode in (0, 1), f"{program} ended with {done.returncode}: {done.stderr}"
        return done

    def score(self, model: Path, events: EventBatch, folder: Path, micro_batch: int = 16) -> CppScores:
        """Score events through raw arrays."""
        done = self.run_arrays(model, events, folder, micro_batch)
        assert done.returncode == 0, done.stderr
        score = np.fromfile(folder / "score.f32", np.float32)
        probability = np.fromfile(folder / "probability.f32", np.float32)
        return CppScores(
            score=score,
            probability=probability.reshape(len(score), -1) if len(score) else probability,
            status=np.fromfile(folder / "status.i32", np.int32),
            passed={path.stem: np.fromfile(path, np.bool_) for path in folder.glob("*.passed")},
        )

    def run_arrays(
        self, model: Path, events: EventBatch, folder: Path, micro_batch: int = 16
    ) -> subprocess.CompletedProcess[str]:
        """Leave the events as raw arrays and run the program on them."""
        write_arrays(events, folder)
        return self.run("score_arrays", str(model), str(folder), str(micro_batch), "1", *events.detectors)


@pytest.fixture(scope="session")
def cpp(tmp_path_factory: pytest.TempPathFactory) -> CppScorer:
    """The programs; where there is no compiler, tests that need them are skipped, but not in CI."""
    missing = [tool for tool in ("cmake", "c++") if shutil.which(tool) is None]
    if missing:
        reason = f"the C++ scorer needs {' and '.join(missing)}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    import yaml

    folder = tmp_path_factory.mktemp("cpp")
    setup = load_setup("na64e_reference").model_copy(update={"name": "tested"})
    (folder / "tested.yaml").write_text(yaml.safe_dump({"extends": "na64e_reference", "name": "tested"}))
    (folder / "conditions.yaml").write_text(yaml.safe_dump({**TESTED_CONDITIONS, "setup": "tested.yaml"}))
    copy = ["cpp", "--copy-to", str(folder / "copy"), "--setup"]
    assert main([*copy, "na64e_reference"]) == 0
    assert main([*copy, str(folder / "tested.yaml"), "--conditions", str(folder / "conditions.yaml")]) == 0
    (folder / "build").mkdir()
    (loop,) = re.findall(r"^```cpp file=event_loop.inc\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    (folder / "build" / "event_loop.inc").write_text(loop)
    configure = ["cmake", "-S", PROJECT, "-B", folder / "build", f"-DNA64ML_CPP={folder / 'copy'}"]
    for command in ([*configure, f"-DPython3_EXECUTABLE={sys.executable}"], ["cmake", "--build", folder / "build"]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return CppScorer(folder / "build", setup, load_conditions(str(folder / "conditions.yaml")))
