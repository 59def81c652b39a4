from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import uproot

from na64ml.graphs.batch import pack
from na64ml.models.checkpoint import load_network
from na64ml.models.features import EventFeatures
from na64ml.resources import shipped
from na64ml.training.command import TrainingCLI

Train = Callable[..., TrainingCLI]
WriteFile = Callable[..., Path]


def loss(cli: TrainingCLI, name: str = "train/loss") -> float:
    return float(cli.trainer.callback_metrics[name])


def checkpoint(cli: TrainingCLI, name: str = "best.ckpt") -> Path:
    return Path(cli.trainer.checkpoint_callback.dirpath) / name


def test_the_same_seed_gives_the_same_training(train: Train) -> None:
    off = ("--trainer.logger", "false")
    first, again, other = (loss(train(*off, "--seed_everything", seed)) for seed in ("5", "5", "6"))
    assert first == again
    assert first != other


def test_the_loss_falls_on_a_few_events(train: Train, write_file: WriteFile, tmp_path: Path) -> None:
    file = write_file(tmp_path / "few.root", np.arange(0, 5025, 40))
    overfit = train(
        *("--data.files", f"[{file}]", "--trainer.limit_train_batches", "1.0", "--trainer.max_epochs", "40"),
        *("--trainer.logger", "false", "--model.augmentation", "null", "--model.learning_rate", "0.02"),
    )
    assert len(overfit.datamodule.sample.part("train")) < 110
    # Seven balanced classes: a network that knows nothing has ln 7 = 1.95.
    assert loss(overfit) < 0.5


def test_only_training_batches_are_augmented_and_before_they_leave_the_cpu(train: Train) -> None:
    cli = train("--trainer.logger", "false")
    batch = next(iter(cli.datamodule.train_dataloader()))
    assert cli.model.on_before_batch_transfer(batch, 0) is batch
    cli.trainer.training = True
    augmented = cli.model.on_before_batch_transfer(batch, 0)
    assert augmented.n_events == batch.n_events
    assert not torch.equal(augmented.track, batch.track)  # mirrored


def test_the_normalisation_comes_from_the_training_part_and_is_in_the_checkpoint(train: Train) -> None:
    cli = train("--trainer.logger", "false")
    events = cli.datamodule.sample.events
    features = {}
    for part in ("train", "test"):
        members = cli.datamodule.sample.part(part).members
        n = len(events)
        fitted = EventFeatures(cli.model.network.inputs)
        fitted.fit([pack(events, members, np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.float32))])
        features[part] = fitted.hit_norm.mean
    stored = load_network(checkpoint(cli))[0].features.hit_norm.mean
    torch.testing.assert_close(stored, features["train"], rtol=1e-5, atol=1e-5)
    assert not torch.allclose(stored, features["test"], rtol=1e-3, atol=1e-3)


def test_the_checkpoint_says_where_the_network_comes_from(train: Train) -> None:
    cli = train("--trainer.logger", "false", "--data.fold", "3")
    _, record = load_network(checkpoint(cli))
    manifest = cli.datamodule.manifest
    assert record.data_hash == manifest.data_hash
    assert record.contract == manifest.contract
    assert record.split.fold == 3
    assert (record.layout, record.mode, record.run_id) == ("na64e_reference", "na64e_invisible", None)
    assert record.init_args["width"] == 8


def test_the_best_checkpoint_is_the_one_with_the_best_stored_value(train: Train) -> None:
    cli = train("--trainer.max_epochs", "4", "--trainer.logger", "false", "--model.learning_rate", "0.3")
    values = cli.trainer.checkpoint_callback
    state = torch.load(checkpoint(cli), weights_only=True)
    stored = next(value for key, value in state["callbacks"].items() if key.startswith("ModelCheckpoint"))
    assert values.monitor == "validation/loss"
    assert float(stored["best_model_score"]) == float(values.best_model_score)
    assert [path.name for path in sorted(checkpoint(cli).parent.iterdir())] == ["best.ckpt", "last.ckpt"]


def test_the_last_checkpoint_is_that_of_the_last_epoch_not_of_the_best(train: Train) -> None:
    options = ("--checkpoint.monitor", "epoch", "--checkpoint.mode", "min")  # the first epoch is the best
    cli = train("--trainer.logger", "false", "--trainer.max_epochs", "3", *options)
    epochs = {
        name: torch.load(checkpoint(cli, name), weights_only=True)["epoch"] for name in ("best.ckpt", "last.ckpt")
    }
    assert epochs == {"best.ckpt": 0, "last.ckpt": 2}


def test_a_resumed_training_goes_on(train: Train) -> None:
    first = train("--trainer.max_epochs", "2")
    last = checkpoint(first, "last.ckpt")
    before = torch.load(last, weights_only=True)
    resumed = train("--trainer.max_epochs", "3", "--ckpt_path", str(last))
    assert resumed.trainer.logger.run_id == first.trainer.logger.run_id
    after = torch.load(checkpoint(resumed, "last.ckpt"), weights_only=True)
    assert (before["epoch"], after["epoch"]) == (1, 2)
    assert (before["global_step"], after["global_step"]) == (6, 9)
    steps = {int(state["step"]) for state in after["optimizer_states"][0]["state"].values()}
    assert steps == {9}  # AdamW went on with its moments
    history = resumed.trainer.logger.experiment.get_metric_history(resumed.trainer.logger.run_id, "train/loss")
    assert len(history) == 3


def test_a_resumed_training_equals_an_uninterrupted_one(train: Train) -> None:
    """Same order of events, optimizer state and learning rate; without random augmentation and dropout."""
    options = ("--trainer.logger", "false", "--model.augmentation", "null", "--trainer.max_epochs", "3")
    whole = train(*options, "--checkpoint.save_top_k", "-1", "--checkpoint.filename", "{epoch}")
    resumed = train(*options, "--ckpt_path", str(checkpoint(whole, "epoch=1.ckpt")))
    assert resumed.trainer.global_step == whole.trainer.global_step == 9
    for name, values in whole.model.network.state_dict().items():
        torch.testing.assert_close(resumed.model.network.state_dict()[name], values, rtol=1e-5, atol=1e-6)


def test_average_weights_are_validated_and_kept(train: Train) -> None:
    cli = train(
        *("--trainer.logger", "false", "--trainer.max_epochs", "2", "--trainer.limit_train_batches", "1"),
        *("--checkpoint.save_top_k", "-1", "--checkpoint.filename", "{epoch}"),
        *("--trainer.callbacks", "na64ml.training.averaging.AverageWeights", "--trainer.callbacks.decay", "0.75"),
    )
    first, second = (torch.load(checkpoint(cli, f"epoch={n}.ckpt"), weights_only=True) for n in (0, 1))
    for name, average in second["state_dict"].items():
        steps = first["current_model_state"][name], second["current_model_state"][name]
        if name.removeprefix("network.") in dict(cli.model.network.named_parameters()):
            torch.testing.assert_close(average, 0.75 * steps[0] + 0.25 * steps[1])
        else:  # buffers are constants
            torch.testing.assert_close(average, steps[1], rtol=0, atol=0)
    name = "head.0.weight"
    assert not torch.equal(second["state_dict"][f"network.{name}"], second["current_model_state"][f"network.{name}"])
    kept = load_network(checkpoint(cli, "epoch=1.ckpt"))[0].state_dict()[name]
    torch.testing.assert_close(kept, second["state_dict"][f"network.{name}"], rtol=0, atol=0)
    torch.testing.assert_close(cli.model.network.state_dict()[name], kept, rtol=0, atol=0)


def test_training_stops_when_the_rejection_no_longer_grows(train: Train) -> None:
    stop = "--trainer.callbacks", "lightning.pytorch.callbacks.EarlyStopping"
    cli = train(
        *("--trainer.logger", "false", "--trainer.max_epochs", "9", "--model.learning_rate", "1e-12"),
        *stop,
        *("--trainer.callbacks.monitor", "validation/rejection", "--trainer.callbacks.mode", "max"),
        *("--trainer.callbacks.patience", "2"),
        *("--checkpoint.monitor", "validation/rejection", "--checkpoint.mode", "max"),
    )
    assert cli.trainer.current_epoch == 3  # nothing changes after the first epoch
    assert float(cli.trainer.checkpoint_callback.best_model_score) == loss(cli, "validation/rejection")


def test_focal_loss_and_decorrelation_change_the_training(train: Train) -> None:
    off = ("--trainer.logger", "false")
    plain = loss(train(*off))
    assert loss(train(*off, "--model.focal", "2")) < 0.9 * plain
    penalised = train(*off, "--model.decorrelation.strength", "3", "--data.batch_size", "256")
    penalty = loss(penalised, "train/penalty")
    assert 0 < penalty <= 3
    assert loss(penalised) > penalty


def test_a_blind_network_remembers_that_it_is(train: Train) -> None:
    cli = train("--trainer.logger", "false", "--model.energy_blind", "[ECAL]")
    network, record = load_network(checkpoint(cli))
    assert record.inputs.energy_blind == network.inputs.energy_blind == ("ECAL",)


def test_predictions_are_those_of_the_checkpoint(train: Train, tmp_path: Path) -> None:
    fitted = train("--trainer.logger", "false")
    output = tmp_path / "predictions.root"
    train(
        *("--ckpt_path", str(checkpoint(fitted)), "--trainer.logger", "false"),
        *("--predictions.path", str(output)),
        verb="predict",
    )
    with uproot.open(output) as root:
        columns = root["scores"].arrays(library="np")
    sample = fitted.datamodule.sample
    members = sample.part("test").members
    assert len(columns["score"]) == len(members)
    np.testing.assert_array_equal(columns["spillevent"], sample.events.ids[members, 2])
    np.testing.assert_array_equal(columns["label"], sample.label[members])
    network, _ = load_network(checkpoint(fitted))
    batch = sample.part("test")[np.arange(20)]
    with torch.inference_mode():
        p = torch.softmax(network(batch.hits, batch.detector, batch.event, batch.track), dim=1)
    np.testing.assert_allclose(columns["p_dark_photon"][:20], p[:, 0], rtol=1e-3, atol=1e-6)
    assert (columns["status"] == 0).all()


def test_predictions_follow_the_output_contract(train: Train, write_file: WriteFile, tmp_path: Path) -> None:
    """What is not scored has the status of the exported file and no numbers."""
    fitted = train("--trainer.logger", "false")
    which = np.arange(0, 400)
    with uproot.open(shipped("datasets") / "na64e_reference.root") as root:
        energy = root["tree"]["ECAL_ene"].array(library="np")[which]
    bad = which % 4 == 0
    energy[bad, 0, 0, 0] = -50  # far below the noise
    file = write_file(tmp_path / "bad.root", which, changes={"ECAL_ene": energy})
    output = tmp_path / "predictions.root"
    predicted = train(
        *("--ckpt_path", str(checkpoint(fitted)), "--trainer.logger", "false", "--data.files", f"[{file}]"),
        *("--predictions.path", str(output)),
        verb="predict",
    )
    with uproot.open(output) as root:
        columns = root["scores"].arrays(library="np")
    members = predicted.datamodule.sample.part("test").members
    np.testing.assert_array_equal(columns["status"], np.where(bad[members], 3, 0))
    assert 5 < bad[members].sum() < len(members)
    for name in ("score", "p_dark_photon"):
        np.testing.assert_array_equal(np.isnan(columns[name]), bad[members])


def test_validate_and_test_measure_the_checkpoint(train: Train) -> None:
    fitted = train("--trainer.logger", "false", "--trainer.limit_val_batches", "1.0")
    options = ("--ckpt_path", str(checkpoint(fitted)), "--trainer.logger", "false")
    validated = train(*options, verb="validate")
    assert loss(validated, "validation/loss") == pytest.approx(loss(fitted, "validation/loss"), rel=1e-4)
    tested = train(*options, verb="test")
    assert set(tested.trainer.callback_metrics) == {"test/loss", "test/accuracy", "test/auc", "test/rejection"}
    assert loss(tested, "test/rejection") >= 1
