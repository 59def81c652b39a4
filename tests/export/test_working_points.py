"""New working points make a new file and not a new network."""

import json
from pathlib import Path

import onnx
import pytest
import yaml

from na64ml.cli import main
from na64ml.inference import Scorer


def graph(path: Path) -> bytes:
    return onnx.load(path).graph.SerializeToString()


def test_set_adds_and_replaces(
    onnx_file: Path, threshold: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new.onnx"
    assert main(["working-points", "set", str(onnx_file), "signal_90=0.75", "loose=-2e1", "--out", str(out)]) == 0
    before, after = Scorer(onnx_file).metadata, Scorer(out).metadata
    assert after.thresholds == {"signal_90": 0.75, "loose": -20.0}
    assert after.weights_hash == before.weights_hash
    assert after.model_copy(update={"working_points": before.working_points}) == before
    assert graph(out) == graph(onnx_file)
    assert before.thresholds == {"signal_90": threshold}
    assert after.working_points[0].efficiency == {}  # those of the old threshold do not hold any more
    capsys.readouterr()
    assert main(["working-points", "show", str(onnx_file)]) == 0
    text = capsys.readouterr().out
    assert "signal_90" in text
    assert "0.9 [0.88, 0.92]" in text
    assert before.weights_hash in text


def points_file(path: Path, weights_hash: str) -> Path:
    point = {"name": "signal_80", "threshold": 2.5, "efficiency": {"dark_photon": [0.8, 0.7, 0.9]}, "interval": "90 %"}
    content = {"weights_hash": weights_hash, "data_hash": "", "n_events": 7, "weighted": True, "points": [point]}
    path.write_text(json.dumps(content))
    return path


def test_points_of_an_evaluation(onnx_file: Path, threshold: float, tmp_path: Path) -> None:
    file = points_file(tmp_path / "points.json", Scorer(onnx_file).metadata.weights_hash)
    out = tmp_path / "new.onnx"
    assert main(["working-points", "set", str(onnx_file), "--from", str(file), "--out", str(out)]) == 0
    metadata = Scorer(out).metadata
    assert metadata.thresholds == {"signal_90": threshold, "signal_80": 2.5}
    assert metadata.working_points[1].efficiency["dark_photon"] == (0.8, 0.7, 0.9)


def test_wrong_points_are_refused(
    onnx_file: Path, threshold: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = points_file(tmp_path / "points.json", "of another")
    for arguments, named in (
        (["loose"], "'loose': is not NAME=THRESHOLD"),
        (["loose=nan"], "'loose=nan': is not NAME=THRESHOLD"),
        (["=1"], "'=1': is not NAME=THRESHOLD"),
        ([], "no working points given"),
        (["a=1", "a=2"], "working point a: given more than once"),
        (["--from", str(other)], "key 'weights_hash' is of another, but the network of"),
    ):
        assert main(["working-points", "set", str(onnx_file), *arguments, "--out", str(tmp_path / "new.onnx")]) == 2
        assert named in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "new.onnx").exists()
    assert main(["working-points", "set", str(onnx_file), "a=1", "--out", str(onnx_file)]) == 2
    assert Scorer(onnx_file).metadata.thresholds == {"signal_90": threshold}


def test_a_selection_uses_them_by_name(onnx_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new.onnx"
    assert main(["working-points", "set", str(onnx_file), "all=-1e9", "none=1e9", "--out", str(out)]) == 0
    for name in ("all", "none", "unknown"):
        cut = {"name": "score", "require": {"variable": "score", "working_point": name}}
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({"name": name, "description": name, "cuts": [cut]}))
    select = ["select", "shipped:na64e_reference_b.root", "--model", str(out), "--out", str(tmp_path), "--selection"]
    assert main([*select, str(tmp_path / "all.yaml"), str(tmp_path / "none.yaml")]) == 0
    found = {name: json.loads((tmp_path / f"{name}.json").read_text()) for name in ("all", "none")}
    passed = {name: rows_of(content) for name, content in found.items()}
    assert passed["all"] > 2000
    assert passed["none"] == 0
    capsys.readouterr()
    assert main([*select, str(tmp_path / "unknown.yaml")]) == 2
    text = " ".join(capsys.readouterr().err.split())
    assert "unknown" in text
    assert "all" in text


def rows_of(content: dict) -> int:
    """Number of events of all classes after the cut on the score."""
    (row,) = [row for row in content["rows"] if row["name"] == "score"]
    return sum(count["events"] for count in row["counts"].values())
