"""The coffea processor of the documentation, beside the scorer on all events at once."""

import re
import runpy
import shutil
from pathlib import Path

import numpy as np
import pytest

from na64ml.events.reader import EventReader
from na64ml.inference import Scorer

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"


def test_the_processor_of_the_page_selects_what_the_scorer_selects(
    onnx_file: Path, reader: EventReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = [
        text for text in re.findall(r"^```python run\n(.*?)^```$", PAGE.read_text(), re.M | re.S) if "coffea" in text
    ]
    (tmp_path / "demo").mkdir()
    shutil.copy(onnx_file, tmp_path / "demo" / "model.onnx")
    (tmp_path / "example.py").write_text(example)
    monkeypatch.chdir(tmp_path)
    found = runpy.run_path("example.py")["result"]

    events = reader.read("shipped:na64e_reference_b.root")
    scorer = Scorer(onnx_file)
    passed = scorer.passed(scorer.score(events), "signal_90")
    in_ecal = events.detector == events.detector_index("ECAL")
    energy = np.bincount(events.event[in_ecal], events.hits[in_ecal, 3], minlength=len(events))
    assert (found["events"], found["passed"]) == (len(events), passed.sum())
    np.testing.assert_array_equal(found["energy"].values(), np.histogram(energy[passed], bins=60, range=(0, 120))[0])
