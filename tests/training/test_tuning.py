"""Search for hyperparameters, with trainings of three batches."""

from pathlib import Path
from unittest.mock import Mock

import pytest
from mlflow import MlflowClient

from na64ml.errors import ConfigError
from na64ml.training.run_logger import tracking_uri
from na64ml.training.search_space import Parameter, SearchSpace
from na64ml.training.tuning import Prune, tune
from na64ml.yaml_files import load_model

optuna = pytest.importorskip("optuna")

SPACE = SearchSpace(
    metric="validation/loss",
    parameters={
        "model.learning_rate": Parameter(low=0.001, high=0.01, log=True),
        "model.network.init_args.width": Parameter(choices=(4, 8)),
    },
)


@pytest.fixture
def arguments(cache_folder: Path) -> list[str]:
    sizes = {"n_blocks": 1, "k": 2, "head_width": 8, "pool_width": 2}
    return [
        *("--config", "na64e_invisible/train.yaml", "--data.cache", str(cache_folder)),
        *(word for name, size in sizes.items() for word in (f"--model.network.init_args.{name}", str(size))),
        *("--trainer.limit_train_batches", "2", "--trainer.limit_val_batches", "1", "--trainer.max_epochs", "1"),
        *("--trainer.enable_progress_bar", "false", "--trainer.enable_model_summary", "false"),
        *("--trainer.num_sanity_val_steps", "0"),
    ]


def test_trials_are_runs_below_one_parent_and_a_study_goes_on(arguments: list[str], run_root: Path) -> None:
    first = tune(SPACE, arguments, run_root, "widths", 1)
    study = tune(SPACE, arguments, run_root, "widths", 2)
    assert [trial.number for trial in study.trials] == [0, 1]
    assert study.trials[0].value == first.trials[0].value
    assert study.trials[1].params["model.learning_rate"] != study.trials[0].params["model.learning_rate"]
    client = MlflowClient(tracking_uri(run_root))
    runs = client.search_runs([client.get_experiment_by_name("na64ml").experiment_id])
    (parent,) = [run for run in runs if run.data.tags.get("command") == "tune"]
    children = {run.data.tags["trial"]: run for run in runs if run is not parent}
    assert {run.data.tags["mlflow.parentRunId"] for run in children.values()} == {parent.info.run_id}
    for trial in study.trials:
        run = children[str(trial.number)]
        assert run.data.params["network.width"] == str(trial.params["model.network.init_args.width"])
        assert float(run.data.params["learning_rate"]) == pytest.approx(trial.params["model.learning_rate"])
        assert run.data.metrics["validation/loss"] == pytest.approx(trial.value, rel=1e-6)


def test_a_study_of_another_metric_does_not_go_on(arguments: list[str], run_root: Path) -> None:
    tune(SPACE, arguments, run_root, "widths", 1)
    other = SPACE.model_copy(update={"metric": "validation/rejection", "direction": "maximize"})
    with pytest.raises(ConfigError, match=r"widths: .* to minimize validation/loss, not to maximize .*another --study"):
        tune(other, arguments, run_root, "widths", 2)


def test_a_metric_that_is_not_logged_is_named_and_the_trial_does_not_count(
    arguments: list[str], run_root: Path
) -> None:
    space = SPACE.model_copy(update={"metric": "validation/nothing"})
    with pytest.raises(ConfigError, match=r"no 'validation/nothing'; it logs .*validation/loss"):
        tune(space, arguments, run_root, "widths", 1)
    study = tune(SPACE, arguments, run_root, "widths", 1)
    assert [trial.state.name for trial in study.trials] == ["FAIL", "COMPLETE"]


def test_a_trial_worse_than_the_median_is_pruned() -> None:
    study = optuna.create_study(pruner=optuna.pruners.MedianPruner(n_startup_trials=2, n_warmup_steps=0))
    trainer = Mock(sanity_checking=False, current_epoch=0)
    for loss in (0.1, 0.3):
        trial = study.ask()
        trainer.callback_metrics = {"loss": loss}
        Prune(trial, "loss").on_validation_end(trainer, Mock())
        study.tell(trial, loss)
    prune = Prune(study.ask(), "loss")
    trainer.callback_metrics = {"loss": 0.15}
    prune.on_validation_end(trainer, Mock())
    trainer.callback_metrics = {"loss": 0.5}
    with pytest.raises(optuna.TrialPruned, match="after epoch 0"):
        Prune(study.ask(), "loss").on_validation_end(trainer, Mock())
    assert prune.values == [0.15]


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("{low: 1}", "either low and high, or choices"),
        ("{low: 1, high: 2, choices: [1]}", "either low and high, or choices"),
        ("{low: 2, high: 1}", "low 2.* is not below high 1"),
        ("{low: 0.0, high: 1.0, log: true}", "log needs a range above 0"),
    ],
)
def test_a_wrong_space_is_named(parameter: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(f"parameters:\n  model.learning_rate: {parameter}\n")
    with pytest.raises(ConfigError, match=rf"space\.yaml: key 'parameters\.model\.learning_rate': .*{message}"):
        load_model(SearchSpace, file)


def test_ranges_and_choices_are_suggested() -> None:
    trial = optuna.trial.FixedTrial({"a": 3, "b": 0.5, "c": "x"})
    assert Parameter(low=1, high=4).suggest(trial, "a") == 3
    assert isinstance(Parameter(low=1, high=4).suggest(trial, "a"), int)
    assert Parameter(low=0.1, high=1).suggest(trial, "b") == 0.5
    assert Parameter(choices=("x", "y")).suggest(trial, "c") == "x"
