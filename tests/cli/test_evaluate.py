"""`evaluate` ties its results to a network, and `export` keeps them there."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from na64ml.cli import main
from na64ml.evaluation.scored import ScoredEvents
from na64ml.events.batch import EventBatch
from na64ml.export.onnx_export import weights_hash
from na64ml.inference import Scorer
from na64ml.models.edge_conv_network import EdgeConvNetwork
from na64ml.resources import shipped

WriteFile = Callable[..., Path]
WHICH = np.arange(0, 5025, 15)


@pytest.fixture(scope="module")
def sample(write_file: WriteFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_file(tmp_path_factory.mktemp("sample") / "sample.root", WHICH)


@pytest.fixture(scope="module")
def evaluated(sample: Path, onnx_file: Path, checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evaluations of the checkpoint, weighted, and of the exported file, unweighted."""
    folder = tmp_path_factory.mktemp("evaluated")
    common = ("evaluate", str(sample), "--events", "all", "--root", str(folder / "runs"))
    assert main([*common, "--model", str(checkpoint), "--out", str(folder / "weighted")]) == 0
    assert main([*common, "--model", str(onnx_file), "--out", str(folder / "alike"), "--unweighted"]) == 0
    return folder


def content(path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(path.read_text())
    return found


def message(capsys: pytest.CaptureFixture[str]) -> str:
    """What was reported, without spaces, because the console breaks lines."""
    return "".join(capsys.readouterr().err.split())


def test_working_points_name_their_network(evaluated: Path, network: EdgeConvNetwork) -> None:
    for folder, weighted in (("weighted", True), ("alike", False)):
        found = content(evaluated / folder / "working_points.json")
        assert found["weights_hash"] == weights_hash(network)
        assert found["data_hash"] == "0123456789abcdef"
        assert found["n_events"] == len(WHICH)
        assert found["weighted"] is weighted
        assert [point["name"] for point in found["points"]][-1] == "signal_99"
        assert {point["weighted"] for point in found["points"]} == {weighted}


def test_an_unweighted_evaluation_says_so_and_keeps_the_weights(evaluated: Path, reference_events: EventBatch) -> None:
    for folder, weighted in (("weighted", True), ("alike", False)):
        metrics = content(evaluated / folder / "metrics.json")
        assert metrics["weighted"] is weighted
        counts, sums = ({k: v for k, v in metrics.items() if k.startswith(f"{name}/")} for name in ("events", "weight"))
        assert (list(counts.values()) == list(sums.values())) is not weighted
        page = (evaluated / folder / "index.html").read_text()
        assert ("all events count alike" in page.partition("<main>")[0]) is not weighted
        stored = ScoredEvents.read(evaluated / folder / "scored.npz")
        np.testing.assert_allclose(stored.weight, reference_events.weight[WHICH], rtol=1e-6)
    assert len(np.unique(reference_events.weight[WHICH])) > 1


def test_working_points_go_into_the_network_they_belong_to(evaluated: Path, checkpoint: Path, tmp_path: Path) -> None:
    output = tmp_path / "model.onnx"
    points = evaluated / "alike" / "working_points.json"
    assert main(["export", str(checkpoint), "--out", str(output), "--working-points", str(points)]) == 0
    metadata = Scorer(output).metadata
    expected = {point["name"]: point["threshold"] for point in content(points)["points"]}
    assert metadata.thresholds == expected
    assert not any(point.weighted for point in metadata.working_points)


def test_working_points_of_another_network_are_refused(
    evaluated: Path, checkpoint: Path, network: EdgeConvNetwork, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = torch.load(checkpoint, weights_only=True)
    name = "network.head.6.bias"
    other["state_dict"][name] = other["state_dict"][name] + 1
    torch.save(other, tmp_path / "other.ckpt")
    points = evaluated / "weighted" / "working_points.json"
    options = ["--out", str(tmp_path / "model.onnx"), "--working-points", str(points)]
    assert main(["export", str(tmp_path / "other.ckpt"), *options]) == 2
    text = message(capsys)
    for expected in (str(points), str(tmp_path / "other.ckpt"), weights_hash(network)):
        assert expected in text
    assert not (tmp_path / "model.onnx").exists()


@pytest.mark.parametrize("text", ["[]", "hello", None])
def test_a_file_without_working_points_is_refused(
    checkpoint: Path, tmp_path: Path, text: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "points.json"
    if text is not None:
        path.write_text(text)
    assert main(["export", str(checkpoint), "--out", "model.onnx", "--working-points", str(path)]) == 2
    assert ("holdsnoworkingpoints" if text else "cannotberead") in message(capsys)


def test_an_output_folder_that_cannot_be_written_is_named_before_scoring(
    sample: Path, onnx_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Scorer, "score", lambda *_: pytest.fail("scored"))
    assert main(["evaluate", str(sample), "--model", str(onnx_file), "--out", "/proc/x"]) == 2
    assert "/proc/x:cannotbewritten" in message(capsys)


def test_a_mode_with_other_classes_is_refused(
    sample: Path, onnx_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mode"
    shutil.copytree(shipped("configs") / "na64e_invisible", folder)
    file = folder / "mode.yaml"
    file.write_text(file.read_text().replace("neutral_punch_through", "neutrals"))
    options = ["--model", str(onnx_file), "--mode", str(file), "--out", str(tmp_path / "out")]
    assert main(["evaluate", str(sample), *options]) == 2
    assert "neutral_punch_through/neutrals" in message(capsys)
    assert not (tmp_path / "out").exists()


def test_the_same_event_twice_is_an_error(
    sample: Path, onnx_file: Path, write_file: WriteFile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = write_file(tmp_path / "again.root", WHICH[:3])
    options = ["--model", str(onnx_file), "--events", "all", "--out", str(tmp_path / "out")]
    assert main(["evaluate", str(sample), str(again), *options]) == 2
    text = message(capsys)
    assert "occursmorethanonce(3duplicates)" in text
    assert str(again) in text
