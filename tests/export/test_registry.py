"""Networks enter the registry after the parity check, and come out unchanged by name and alias."""

from collections.abc import Callable
from pathlib import Path

import mlflow
import numpy as np
import onnx
import pytest
import torch
import uproot
from mlflow import MlflowClient

from na64ml.cli import main
from na64ml.events.batch import EventBatch
from na64ml.export.parity import example_inputs
from na64ml.export.registry import registered_file
from na64ml.inference import Scorer
from na64ml.models.checkpoint import NetworkRecord
from na64ml.models.edge_conv_network import EdgeConvNetwork
from na64ml.training.tracking_store import tracking_uri


@pytest.fixture(scope="module")
def checkpoint(network: EdgeConvNetwork, record: NetworkRecord, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoint") / "best.ckpt"
    weights = {f"network.{name}": values for name, values in network.state_dict().items()}
    torch.save({"state_dict": weights, "na64ml": record.model_dump(mode="json")}, path)
    return path


def client_of(root: Path) -> MlflowClient:
    """A client of the tracking store and the registry in a run root, whatever MLflow was told before."""
    return MlflowClient(tracking_uri(root), tracking_uri(root))


def test_a_network_goes_in_and_comes_out(
    onnx_file: Path,
    checkpoint: Path,
    run_root: Path,
    few_events: EventBatch,
    write_file: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    client = client_of(run_root)
    store = ["--tracking", str(run_root)]
    register = ["register", str(onnx_file), "--checkpoint", str(checkpoint), "--name", "na64e", *store]
    assert main(register) == 0
    assert main(["register", "models:/na64e@candidate", "--alias", "champion", *store]) == 0
    for alias in ("candidate", "champion"):
        assert client.get_model_version_by_alias("na64e", alias).version in (1, "1")
    metadata = Scorer(onnx_file).metadata
    assert client.get_model_version("na64e", "1").tags["weights_hash"] == metadata.weights_hash

    mlflow.set_tracking_uri(tracking_uri(run_root))
    mlflow.set_registry_uri(tracking_uri(run_root))
    flavour = mlflow.pyfunc.load_model("models:/na64e@champion")
    signature = flavour.metadata.signature
    assert signature.inputs.input_names() == ["hits", "detector", "event", "track"]
    assert [spec.shape for spec in signature.inputs.inputs] == [(-1, 6), (-1,), (-1,), (-1, 6)]
    assert signature.outputs.input_names() == ["logits", "probability", "score", "status"]
    example = flavour.input_example
    events = few_events.select(slice(0, 16))
    found = flavour.predict(example_inputs(events))
    np.testing.assert_allclose(found["score"], Scorer(onnx_file).score(events).score, rtol=1e-4, atol=1e-5)
    assert set(example) == {"hits", "detector", "event", "track"}
    assert len(flavour.predict(example)["status"]) == 4

    score = ["score", "shipped:na64e_reference_b.root", *store]
    assert main([*score, "--model", "models:/na64e@champion", "--out", "alias.root"]) == 0
    assert main([*score, "--model", str(onnx_file), "--out", "file.root"]) == 0
    with uproot.open("alias.root") as alias, uproot.open("file.root") as file:
        for name, values in file["scores"].arrays(library="np").items():
            np.testing.assert_array_equal(alias["scores"][name].array(library="np"), values)
    assert main(["working-points", "show", "models:/na64e/1", *store]) == 0
    assert metadata.weights_hash in capsys.readouterr().out
    assert main(["working-points", "set", "models:/na64e@champion", "loose=-1", "--out", "loose.onnx", *store]) == 0
    assert Scorer("loose.onnx").metadata.thresholds == metadata.thresholds | {"loose": -1}
    few = write_file(tmp_path / "few.root", np.arange(0, 5025, 40))
    for verb, *choice in (["evaluate", "--events", "all"], ["select", "--selection", "score_only"]):
        for model, out in (("models:/na64e@champion", "alias"), (str(onnx_file), "file")):
            assert main([verb, str(few), *store, *choice, "--model", model, "--out", f"{verb}_{out}"]) == 0
    for file in ("evaluate_{}/metrics.json", "select_{}/score_only.json"):
        assert Path(file.format("alias")).read_text() == Path(file.format("file")).read_text()
    assert "na64e_invisible: models:/na64e@champion" in Path("evaluate_alias/index.html").read_text()

    for address, named in (
        ("models:/na64e@none", "none"),
        ("models:/other@champion", "other"),
        ("models:/na64e/7", "version"),
        ("models:/na64e", "models:/NAME@ALIAS"),
    ):
        assert main([*score, "--model", address, "--out", "never.root"]) == 2
        text = " ".join(capsys.readouterr().err.split())
        assert named in text
        assert "Traceback" not in text
    assert not Path("never.root").exists()


def test_what_fails_the_parity_check_is_not_registered(
    onnx_file: Path, checkpoint: Path, run_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = onnx.load(onnx_file)
    for entry in model.graph.initializer:
        if entry.name.endswith("head.6.bias"):
            values = onnx.numpy_helper.to_array(entry).copy()
            values[0] += 1e-3
            entry.CopyFrom(onnx.numpy_helper.from_array(values, entry.name))
    wrong = tmp_path / "wrong.onnx"
    onnx.save(model, wrong)
    store = ["--tracking", str(run_root), "--name", "na64e"]
    assert main(["register", str(wrong), "--checkpoint", str(checkpoint), *store]) == 2
    assert "logits differ by up to 0.001" in " ".join(capsys.readouterr().err.split())
    assert main(["register", str(onnx_file), *store]) == 2
    assert "--checkpoint" in capsys.readouterr().err
    content = torch.load(checkpoint, weights_only=True)
    content["state_dict"]["network.head.6.bias"] += 1
    torch.save(content, tmp_path / "other.ckpt")
    assert main(["register", str(onnx_file), "--checkpoint", str(tmp_path / "other.ckpt"), *store]) == 2
    assert "key 'weights_hash' is" in " ".join(capsys.readouterr().err.split())
    assert client_of(run_root).search_registered_models() == []


def test_a_folder_without_a_store_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "a.root", "--model", "models:/a@b", "--tracking", str(tmp_path), "--out", "b.root"]) == 2
    assert "has no tracking store mlflow.db" in " ".join(capsys.readouterr().err.split())


def test_boosted_trees_go_in_after_a_comparison_with_lightgbm(
    trees_file: Path, checkpoint: Path, run_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    register = ["register", str(trees_file), "--name", "trees", "--tracking", str(run_root), "--checkpoint"]
    assert main([*register, str(checkpoint)]) == 2
    assert "isnomodelofLightGBM" in "".join(capsys.readouterr().err.split())
    assert main([*register, str(trees_file.with_suffix(".txt"))]) == 0
    file = registered_file("models:/trees@candidate", str(run_root))
    metadata = Scorer(file).metadata
    assert metadata.weights_hash == Scorer(trees_file).metadata.weights_hash
    mlflow.set_tracking_uri(tracking_uri(run_root))
    mlflow.set_registry_uri(tracking_uri(run_root))
    example = mlflow.pyfunc.load_model("models:/trees@candidate").input_example
    assert np.shape(example["variables"]) == (4, len(metadata.variables))
