"""The whole chain on a few hundred events, through the command line."""

import json

import numpy as np
import pytest
import uproot

from na64ml.events.reader import EventReader
from na64ml.inference import Scorer
from tests.pipeline.conftest import N_EVENTS, CommandLine

pytestmark = pytest.mark.slow

MODEL = ["--model", "model.onnx"]


@pytest.fixture(scope="module")
def folder(trained):
    return trained[0]


@pytest.fixture(scope="module")
def run(folder):
    return CommandLine(folder)


def test_training_leaves_everything_below_the_run_root(folder):
    assert {path.name for path in folder.iterdir()} >= {"runs", "few.root", "evaluation", "model.onnx"}
    assert not (folder / "mlruns").exists()
    assert not (folder / "mlflow.db").exists()
    assert (folder / "runs" / "mlflow.db").is_file()


def test_evaluation_writes_metrics_figures_and_page(folder):
    metrics = json.loads((folder / "evaluation" / "metrics.json").read_text())
    n_test = sum(value for name, value in metrics.items() if name.startswith("events/"))
    assert 0.15 * N_EVENTS < n_test < 0.25 * N_EVENTS  # one fold of five
    assert metrics["signal_efficiency@0.9"] >= 0.9
    names = {path.name for path in (folder / "evaluation").iterdir()}
    for figure in ("roc", "score", "energy_plane", "confusion", "rejection"):
        assert {f"{figure}.png", f"{figure}.pdf"} <= names
    assert "index.html" in names


def test_evaluation_is_added_to_the_tracking_run(folder, trained):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / 'runs' / 'mlflow.db'}")
    run_id = trained[1].parent.parent.name
    logged = client.get_run(run_id).data.metrics
    metrics = json.loads((folder / "evaluation" / "metrics.json").read_text())
    assert logged["test/signal_efficiency_at_0.9"] == metrics["signal_efficiency@0.9"]
    assert "evaluation/metrics.json" in {item.path for item in client.list_artifacts(run_id, "evaluation")}


def test_score_writes_an_aligned_friend_tree(folder, run):
    text = run("score", "few.root", *MODEL, "--out", "scores.root")
    assert f"{N_EVENTS} events" in text
    with uproot.open(folder / "few.root") as events, uproot.open(folder / "scores.root") as friend:
        assert friend["scores"].num_entries == events["tree"].num_entries == N_EVENTS
        np.testing.assert_array_equal(
            friend["scores"]["spillevent"].array(library="np"), events["tree"]["spillevent"].array(library="np")
        )
        stored = friend["scores"]["score"].array(library="np")
    direct = Scorer(folder / "model.onnx").score(EventReader("na64e_reference").read(folder / "few.root"))
    np.testing.assert_allclose(stored, direct.score, rtol=1e-4, atol=1e-4)


def test_select_with_and_without_the_score(folder, run):
    text = run("select", "few.root", *MODEL, "--selection", "simple", "simple_with_score", "--out", "cutflow")
    assert "Cut flow 'simple_with_score'" in text
    flows = {
        name: json.loads((folder / "cutflow" / f"{name}.json").read_text()) for name in ("simple", "simple_with_score")
    }
    survivors = {name: flow["rows"][-1]["counts"] for name, flow in flows.items()}
    for name, counts in survivors["simple"].items():
        assert survivors["simple_with_score"][name]["events"] <= counts["events"]
    rows = {row["name"] for row in flows["simple_with_score"]["rows"]}
    assert {"score", "not scored"} <= rows


def test_display_draws_surviving_background(folder, run):
    run("display", "few.root", *MODEL, "--survivors", "simple", "--most", "2", "--out", "pictures")
    assert len(list((folder / "pictures").glob("event_*.png"))) == 2


def test_evaluating_the_checkpoint_and_the_exported_file_gives_the_same(folder, run):
    run("evaluate", "few.root", *MODEL, "--out", "evaluation_onnx")
    first, second = (
        json.loads((folder / name / "metrics.json").read_text()) for name in ("evaluation", "evaluation_onnx")
    )
    assert first.keys() == second.keys()
    assert first["threshold@0.9"] == pytest.approx(second["threshold@0.9"], abs=1e-4)


def test_working_points_travel_in_the_file(folder):
    evaluated = json.loads((folder / "evaluation" / "working_points.json").read_text())
    stored = Scorer(folder / "model.onnx").metadata
    assert stored.thresholds == {point["name"]: point["threshold"] for point in evaluated["points"]}
    assert stored.weights_hash == evaluated["weights_hash"]
    assert stored.run_id


@pytest.mark.parametrize("verb", ["validate", "test", "predict"])
def test_other_training_verbs(trained, run, verb):
    _, checkpoint, _ = trained
    small = ["--model.network.init_args.width", "8", "--model.network.init_args.n_blocks", "1"]
    files = ["--data.files", '["few.root"]', "--root", "runs"]
    text = run(verb, "--config", "na64e_invisible/train.yaml", *files, *small, "--ckpt_path", str(checkpoint))
    if verb == "predict":
        n_test = json.loads((trained[0] / "evaluation" / "metrics.json").read_text())
        predicted = uproot.open(trained[0] / "runs" / "predictions.root")["scores"]
        assert predicted.num_entries == sum(v for name, v in n_test.items() if name.startswith("events/"))
    else:
        assert "auc" in text


def test_scores_of_data_in_the_signal_box_are_hidden_until_unblinded(folder, run):
    with uproot.open(folder / "few.root") as file:
        arrays = file["tree"].arrays(library="ak", how=dict)
    arrays = {name: values for name, values in arrays.items() if not name.startswith("mc_")}
    with uproot.recreate(folder / "data.root") as file:
        file.mktree("tree", {name: values.type.content for name, values in arrays.items()})
        file["tree"].extend(arrays)
    hidden_text = run("score", "data.root", *MODEL, "--out", "hidden.root")
    assert f"{N_EVENTS} events" in hidden_text
    assert "scored" not in hidden_text  # the rest of the total is blinded
    text = run("score", "data.root", *MODEL, "--out", "shown.root", "--unblind")
    assert "UNBLINDED" in text
    hidden, shown = (
        uproot.open(folder / name)["scores"].arrays(library="np") for name in ("hidden.root", "shown.root")
    )
    ecal = arrays["ECAL_ene"].to_numpy().sum(axis=(1, 2, 3))
    hcal = arrays["HCAL_ene"].to_numpy()[:, :3].sum(axis=(1, 2, 3))
    box = (ecal < 50) & (hcal < 1)
    assert box.any()
    assert np.array_equal(hidden["status"] == 4, box)
    assert np.isnan(hidden["score"][box]).all()
    assert not np.isnan(shown["score"][box]).any()
    np.testing.assert_array_equal(hidden["score"][~box], shown["score"][~box])
    assert "blinded" in run("select", "data.root", "--selection", "simple")
    message = run("evaluate", "data.root", *MODEL, "--out", "nothing", "--events", "all", code=2)
    assert "truth" in message
