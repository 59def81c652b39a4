import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from na64ml.cli import main
from na64ml.events.reader import EventReader
from na64ml.inference.scorer import Scorer
from na64ml.resources import shipped
from na64ml.selection.view import EventView

SELECTION = "name: passing\ncuts:\n  - name: score\n    require: {variable: score, working_point: signal_90}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A sample with its layout beside it, as the simulation makes them."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(shipped("datasets") / "na64e_reference_b.root", tmp_path / "sample.root")
    layout = yaml.safe_load((shipped("configs") / "na64e_invisible/layouts/na64e_reference.yaml").read_text())
    (tmp_path / "sample.layout.yaml").write_text(yaml.safe_dump({**layout, "name": "sample"}))
    (tmp_path / "cut.yaml").write_text(SELECTION)
    return tmp_path


def test_hard_negatives(folder: Path, onnx_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--layout", "sample.layout.yaml", "--model", str(onnx_file), "--selection", "cut.yaml"]
    assert main(["skim", "sample.root", *options, "--out", "mined/hard.root"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    events = EventReader("sample.layout.yaml").read("sample.root")
    scorer = Scorer(onnx_file)
    passed = scorer.passed(scorer.score(events), "signal_90")
    assert 0 < passed.sum() < len(events)
    assert f"{passed.sum():,} of 2,010 events written." in text
    assert "na64ml inspect mined/hard.root --layout mined/hard.layout.yaml" in text
    again = EventReader("mined/hard.layout.yaml").read("mined/hard.root")
    np.testing.assert_array_equal(again.ids, events.ids[passed])
    assert Path("mined/hard.layout.yaml").read_text() == Path("sample.layout.yaml").read_text()


def test_the_layout_to_use_is_named_if_it_is_not_copied(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["skim", "sample.root", "--out", "out.root"]) == 0
    assert "--layout na64e_reference" in capsys.readouterr().out
    Path("elsewhere").mkdir()
    shutil.move("sample.layout.yaml", "elsewhere/own.yaml")
    assert main(["skim", "sample.root", "--layout", "elsewhere/own.yaml", "--out", "out.root"]) == 0
    assert "--layout elsewhere/own.yaml" in capsys.readouterr().out
    assert not list(folder.glob("out*.yaml"))


def test_a_score_without_network_is_an_error(folder: Path) -> None:
    assert main(["skim", "sample.root", "--selection", "cut.yaml", "--out", "out.root"]) == 2
    assert not Path("out.root").exists()


def test_boosted_trees_get_the_layout_of_the_command(folder: Path, cache_folder: Path) -> None:
    layout = ["--layout", "sample.layout.yaml"]
    small = ["--set", "trees.num_iterations=3", "--set", "variables=[ecal_energy, hcal_energy, veto_energy]"]
    assert main(["fit-trees", "sample.root", *layout, *small, "--root", str(cache_folder), "--out", "trees.onnx"]) == 0
    assert main(["working-points", "set", "trees.onnx", "signal_90=0", "--out", "decided.onnx"]) == 0
    options = [*layout, "--model", "decided.onnx", "--selection", "cut.yaml"]
    assert main(["skim", "sample.root", *options, "--out", "kept.root"]) == 0
    reader = EventReader("sample.layout.yaml")
    events = reader.read("sample.root")
    passed = Scorer("decided.onnx").score(events, EventView(events, reader.setup, reader.conditions)).score >= 0
    assert 0 < passed.sum() < len(events)
    np.testing.assert_array_equal(reader.read("kept.root").ids, events.ids[passed])
