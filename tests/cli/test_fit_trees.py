"""From files to working points of boosted trees, with the commands that networks have."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import lightgbm
import numpy as np
import pytest
import uproot

from na64ml.cli import main
from na64ml.inference import Scorer

TEST = "shipped:na64e_reference.root"


def message(capsys: pytest.CaptureFixture[str]) -> str:
    """What was reported, without spaces, because the console breaks lines."""
    return "".join(capsys.readouterr().err.split())


def test_evaluate_set_score_and_select(trees_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "evaluation"
    options = ["--model", str(trees_file), "--unweighted", "--root", str(tmp_path)]
    assert main(["evaluate", TEST, *options, "--out", str(out)]) == 0
    assert json.loads((out / "working_points.json").read_text())["n_events"] == 1003  # the test split only
    model = tmp_path / "decided.onnx"
    points = ["--from", str(out / "working_points.json"), "--out", str(model)]
    assert main(["working-points", "set", str(trees_file), *points]) == 0
    metadata = Scorer(model).metadata
    assert metadata.weights_hash == Scorer(trees_file).metadata.weights_hash
    efficiency = next(point for point in metadata.working_points if point.name == "signal_90").efficiency
    assert efficiency["dark_photon"][0] == pytest.approx(0.9, abs=0.01)
    assert efficiency["dimuon"][0] < 0.2
    other = "shipped:na64e_reference_b.root"
    assert main(["score", other, "--model", str(model), "--out", str(tmp_path / "scores.root")]) == 0
    with uproot.open(tmp_path / "scores.root") as root:
        assert np.isfinite(root["scores"]["score"].array(library="np")).all()
    capsys.readouterr()
    assert main(["select", other, "--model", str(model), "--selection", "simple_with_score"]) == 0
    assert "surviving" in capsys.readouterr().out


def test_the_text_beside_the_file_is_a_model_of_lightgbm(trees_file: Path) -> None:
    booster = lightgbm.Booster(model_file=trees_file.with_suffix(".txt"))
    assert booster.num_feature() == len(Scorer(trees_file).metadata.variables)
    assert booster.current_iteration() == 8


def fit(tmp_path: Path, cache_folder: Path, *words: str) -> int:
    return main(["fit-trees", *words, "--root", str(cache_folder), "--out", str(tmp_path / "trees.onnx")])


def test_early_stopping_keeps_the_best_round(tmp_path: Path, cache_folder: Path) -> None:
    changes = ("trees.num_iterations=60", "trees.early_stopping_round=3", "trees.learning_rate=0.9")
    small = ("variables=[ecal_energy, hcal_energy, veto_energy]", "trees.num_leaves=31")
    assert fit(tmp_path, cache_folder, *(word for change in changes + small for word in ("--set", change))) == 0
    assert 0 < lightgbm.Booster(model_file=tmp_path / "trees.txt").current_iteration() < 60


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (["variables=[ecal_enrgy]"], "unknownanalysisvariable'ecal_enrgy';didyoumeanecal_energy"),
        (["variables=[ecal_energy, ecal_energy]"], "ecal_energyisgivenmorethanonce"),
        (["trees.num_leafs=3"], "key'trees.num_leafs':Extrainputsarenotpermitted(found3);didyoumean'num_leaves'?"),
        (["trees.num_leaves=1"], "key'trees.num_leaves':Inputshouldbegreaterthanorequalto2(found1)"),
        (["trees.early_stopping_round=5", "data.validation=0"], "noeventvalidates;raisedata.validation"),
        (["variables=['hits:GEM01X']"], "analysisvariable'hits:GEM01X':setup'na64e_reference'hasnotrackerprojection"),
        (["data.layout=none"], "unknownlayout'none'"),
    ],
)
def test_mistakes_are_named(
    tmp_path: Path, cache_folder: Path, capsys: pytest.CaptureFixture[str], changes: list[str], expected: str
) -> None:
    assert fit(tmp_path, cache_folder, *(word for change in changes for word in ("--set", change))) == 2
    assert expected in message(capsys)
    assert not list(tmp_path.iterdir())


def test_other_names_of_the_output_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fit-trees", "--out", str(tmp_path / "trees.txt")]) == 2
    assert "trees.txt:isnonameofanONNXfile" in message(capsys)


def test_files_without_a_class_are_refused(
    write_file: Callable[..., Path], tmp_path: Path, cache_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_file(tmp_path / "few.root", np.arange(3))
    assert fit(tmp_path, cache_folder, str(file)) == 2
    assert "thetrainingsplithasnoeventsof" in message(capsys)


def test_without_lightgbm_the_extra_is_named(
    tmp_path: Path, cache_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    assert fit(tmp_path, cache_folder) == 2
    assert "pipinstall'na64ml[trees]'" in message(capsys)
