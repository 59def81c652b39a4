"""MLflow: one database and artifacts below the run root, nothing lost, nothing overwritten, nothing elsewhere."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
import yaml
from mlflow import MlflowClient

from na64ml.models.checkpoint import load_network
from na64ml.training.callbacks import LastEpoch
from na64ml.training.command import TrainingCLI
from na64ml.training.tracking_store import tracking_uri

Train = Callable[..., TrainingCLI]


def runs(root: Path) -> list[object]:
    client = MlflowClient(tracking_uri(root))
    experiment = client.get_experiment_by_name("na64ml")
    return client.search_runs([experiment.experiment_id])


def artifacts(root: Path, run_id: str) -> dict[str, Path]:
    """Artifacts of a run as MLflow lists them, by name."""
    client = MlflowClient(tracking_uri(root))
    location = Path(client.get_run(run_id).info.artifact_uri.removeprefix("file://"))
    names = []
    folders = [""]
    while folders:
        for item in client.list_artifacts(run_id, folders.pop() or None):
            (folders if item.is_dir else names).append(item.path)
    return {name: location / name for name in sorted(names)}


def test_a_run_is_fully_described(
    train: Train, run_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "cwd"
    folder.mkdir()
    folder.chmod(0o555)
    monkeypatch.chdir(folder)
    cli = train("--seed_everything", "11")
    (run,) = runs(run_root)
    assert run.info.run_id == cli.trainer.logger.run_id
    assert run.info.status == "FINISHED"
    found = artifacts(run_root, run.info.run_id)
    assert list(found) == ["checkpoint/best.ckpt", "config-fit.yaml", "environment.txt"]
    assert all(path.is_relative_to(run_root) and path.is_file() for path in found.values())

    config = yaml.safe_load(found["config-fit.yaml"].read_text())
    assert config["seed_everything"] == 11
    assert config["model"]["network"]["init_args"]["width"] == 8
    assert config["data"]["eval_batch_size"] == 256  # resolved: what was not given is there too
    assert run.data.params["network"] == "EdgeConvNetwork"
    assert run.data.params["network.width"] == "8"
    assert "torch==" in found["environment.txt"].read_text()

    tags = run.data.tags
    assert run.data.params["seed"] == "11"
    assert tags["data_hash"] == cli.datamodule.manifest.data_hash
    assert tags["command"] == "fit"
    assert {"na64ml_version", "host", "layout", "n_events"} <= tags.keys()
    assert {"train/loss", "validation/loss", "validation/auc", "validation/accuracy"} <= run.data.metrics.keys()

    best = cli.trainer.checkpoint_callback
    assert tags["best_checkpoint"] == best.best_model_path
    assert float(tags["best_validation/loss"]) == pytest.approx(float(best.best_model_score), rel=1e-5)
    _, record = load_network(found["checkpoint/best.ckpt"])
    assert record.run_id == run.info.run_id
    assert list(folder.iterdir()) == []  # no mlruns, no lightning_logs


def test_two_runs_of_one_experiment_do_not_overwrite_each_other(train: Train, run_root: Path) -> None:
    first, second = train("--seed_everything", "1"), train("--seed_everything", "2")
    identities = [cli.trainer.logger.run_id for cli in (first, second)]
    assert {run.info.run_id for run in runs(run_root)} == set(identities)
    seeds = []
    checkpoints = []
    for identity in identities:
        found = artifacts(run_root, identity)
        seeds.append(yaml.safe_load(found["config-fit.yaml"].read_text())["seed_everything"])
        checkpoints.append(found["checkpoint/best.ckpt"].read_bytes())
    assert seeds == [1, 2]
    assert checkpoints[0] != checkpoints[1]
    assert Path(first.trainer.checkpoint_callback.best_model_path).is_file()


def test_a_resumed_run_keeps_its_first_configuration_and_one_checkpoint(train: Train, run_root: Path) -> None:
    first = train("--model.weight_decay", "0.02")
    last = str(Path(first.trainer.checkpoint_callback.dirpath) / "last.ckpt")
    train("--model.weight_decay", "0.03", "--trainer.max_epochs", "2", "--ckpt_path", last)
    (run,) = runs(run_root)
    found = artifacts(run_root, run.info.run_id)
    decay = {
        name: yaml.safe_load(path.read_text())["model"]["weight_decay"]
        for name, path in found.items()
        if name.startswith("config")
    }
    assert decay == {"config-fit.yaml": 0.02, "config-fit-2.yaml": 0.03}
    assert [name for name in found if name.endswith(".ckpt")] == ["checkpoint/best.ckpt"]


def test_long_values_are_not_cut(train: Train, run_root: Path) -> None:
    files = [f"shipped:na64e_reference{suffix}.root" for suffix in ("", "_b")]
    description = ["a tag of many words " * 40]
    cli = train(
        *("--data.files", f"[{', '.join(files)}]"),
        *("--trainer.logger.init_args.tags", '{"purpose": "' + description[0].strip() + '"}'),
    )
    assert len(description[0]) > 250
    found = artifacts(run_root, cli.trainer.logger.run_id)
    config = yaml.safe_load(found["config-fit.yaml"].read_text())
    assert config["data"]["files"] == files
    assert config["trainer"]["logger"]["init_args"]["tags"]["purpose"] == description[0].strip()
    cut = {name: value for name, value in runs(run_root)[0].data.params.items() if len(value) >= 250}
    assert not cut  # Lightning cuts parameters at 250 characters


def test_without_a_logger_nothing_is_tracked(train: Train, tmp_path: Path) -> None:
    root = tmp_path / "untracked"
    cli = train("--trainer.logger", "false", root=root)
    assert not (root / "mlflow.db").exists()
    assert Path(cli.trainer.checkpoint_callback.best_model_path).is_relative_to(root)


def test_the_root_of_the_logger_may_be_chosen_apart(train: Train, run_root: Path, tmp_path: Path) -> None:
    """The tracking store may be shared by several run roots; a resumed run is still found."""
    store = ("--trainer.logger.init_args.root", str(run_root))
    root = tmp_path / "elsewhere"
    first = train(*store, root=root)
    last = str(Path(first.trainer.checkpoint_callback.dirpath) / "last.ckpt")
    assert Path(last).is_relative_to(root)
    train(*store, "--trainer.max_epochs", "2", "--ckpt_path", last, root=root)
    assert len(runs(run_root)) == 1


PROGRAM = """
import sys
import torch
from na64ml.training.command import run

torch.set_num_threads(1)
run(sys.argv[1:])
"""


def start(root: Path, cache: Path, cwd: Path, seed: int) -> subprocess.Popen[str]:
    arguments = [
        *("fit", "--config", "na64e_invisible/train.yaml", "--root", str(root), "--data.cache", str(cache)),
        *("--model.network.init_args.width", "8", "--model.network.init_args.n_blocks", "1"),
        *("--trainer.max_epochs", "2", "--trainer.limit_train_batches", "2", "--trainer.limit_val_batches", "1"),
        *("--trainer.enable_progress_bar", "false", "--seed_everything", str(seed)),
    ]
    elsewhere = {"MLFLOW_TRACKING_URI": f"sqlite:///{cwd / 'redirected.db'}", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=cwd,
        env=os.environ | elsewhere,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.slow
def test_two_processes_share_a_new_database_and_ignore_the_environment(tmp_path: Path) -> None:
    """Both make the database, the experiment and the cache at the same time, in a folder they must not write to."""
    cwd, root = tmp_path / "cwd", tmp_path / "runs"
    cwd.mkdir()
    cwd.chmod(0o555)
    processes = [start(root, tmp_path / "cache", cwd, seed) for seed in (1, 2)]
    for process in processes:
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output
    found = runs(root)
    assert sorted(run.data.params["seed"] for run in found) == ["1", "2"]
    assert {run.info.status for run in found} == {"FINISHED"}
    assert all("checkpoint/best.ckpt" in artifacts(root, run.info.run_id) for run in found)
    assert list(cwd.iterdir()) == []


def test_the_tags_stay_those_of_the_training(train: Train, run_root: Path) -> None:
    fitted = train()
    before = runs(run_root)[0].data.tags
    path = fitted.trainer.checkpoint_callback.best_model_path
    train("--ckpt_path", path, "--data.files", "[shipped:na64e_reference_b.root]", verb="test")
    (run,) = runs(run_root)
    assert run.data.tags == before
    assert {"config-fit.yaml", "config-test.yaml", "environment-test.txt"} <= artifacts(
        run_root, run.info.run_id
    ).keys()


def test_an_interrupted_training_says_how_it_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    callback = LastEpoch()
    callback.best_model_path = "runs/1/RUN/checkpoints/last.ckpt"
    callback.on_exception(Mock(), Mock(), KeyboardInterrupt())
    assert "goes on with --ckpt_path runs/1/RUN/checkpoints/last.ckpt" in caplog.text
