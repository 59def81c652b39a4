from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from na64ml.errors import ConfigError, InputError
from na64ml.events.batch import EventBatch
from na64ml.models.checkpoint import load_network, write_checkpoint
from na64ml.training.command import TrainingCLI

Train = Callable[..., TrainingCLI]
WriteFile = Callable[..., Path]
OFF = ("--trainer.logger", "false")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--model.network", "na64ml.models.nothing.Network"), ("network", "na64ml.models.nothing.Network")),
        (("--model.network.init_args.widht", "8"), ("widht",)),
        (("--data.fils", "a.root"), ("data.fils",)),
        (("--trainer.max_epochs", "many"), ("max_epochs", "many")),
    ],
)
def test_wrong_options_are_named(
    train: Train, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit) as raised:
        train(*OFF, *options)
    assert raised.value.code == 2
    message = capsys.readouterr().err
    assert "Traceback" not in message
    for text in expected:
        assert text in message
    assert message.count("--trainer.") < 5  # the options are not all printed before the error


def test_a_run_root_that_cannot_be_written_is_named(train: Train, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for root in (Path("/proc/x"), tmp_path / "file" / "more"):
        with pytest.raises(InputError, match=f"{root}: cannot be written .* --root"):
            train(root=root)
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_class_without_events_is_named(
    train: Train, write_file: WriteFile, reference_events: EventBatch, tmp_path: Path
) -> None:
    file = write_file(tmp_path / "no_dimuons.root", np.flatnonzero(reference_events.process != 4)[::5])
    with pytest.raises(ConfigError, match="no events of dimuon;"):
        train(*OFF, "--data.files", f"[{file}]")


def test_data_cannot_be_trained_on(train: Train, write_file: WriteFile, tmp_path: Path) -> None:
    file = write_file(tmp_path / "data.root", np.arange(200), drop=("mc_label",))
    with pytest.raises(ConfigError, match=r"data\.root: 200 events have no simulation truth"):
        train(*OFF, "--data.files", f"[{file}]")


def test_the_same_events_twice_are_an_error(train: Train, write_file: WriteFile, tmp_path: Path) -> None:
    files = [write_file(tmp_path / name, np.arange(50)) for name in ("a.root", "b.root")]
    with pytest.raises(InputError, match="occurs more than once"):
        train(*OFF, "--data.files", f"[{files[0]}, {files[1]}]")


def test_missing_files_and_modes_are_named(train: Train) -> None:
    with pytest.raises(InputError, match=r"nowhere\.root"):
        train(*OFF, "--data.files", "[nowhere.root]")
    with pytest.raises(ConfigError, match="unknown mode 'na64x'"):
        train(*OFF, "--data.mode", "na64x")
    with pytest.raises(ConfigError, match=r"data\.fold: 7"):
        train(*OFF, "--data.fold", "7")


@pytest.mark.parametrize("verb", ["validate", "test", "predict"])
def test_an_untrained_network_is_not_evaluated(train: Train, verb: str) -> None:
    with pytest.raises(ConfigError, match=f"{verb}: key 'ckpt_path' is missing"):
        train(*OFF, verb=verb)


def test_missing_and_foreign_checkpoints_are_named(train: Train, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.ckpt: cannot be read"):
        train(*OFF, "--ckpt_path", "nowhere.ckpt")
    file = tmp_path / "text.ckpt"
    file.write_text("not a checkpoint")
    with pytest.raises(ConfigError, match=r"text\.ckpt: is not a checkpoint"):
        train("--ckpt_path", str(file))


def test_weights_of_other_classes_are_refused(train: Train) -> None:
    fitted = train(*OFF)
    path = Path(fitted.trainer.checkpoint_callback.best_model_path)
    content = torch.load(path, weights_only=True)
    classes = content["na64ml"]["inputs"]["classes"]
    classes[1], classes[2] = classes[2], classes[1]
    torch.save(content, path)
    with pytest.raises(ConfigError, match="trained with classes dark_photon, neutral_punch_through"):
        train(*OFF, "--ckpt_path", str(path), verb="test")


def test_a_network_is_not_tested_on_its_training_events_nor_with_other_energies(train: Train) -> None:
    path = train(*OFF).trainer.checkpoint_callback.best_model_path
    for verb in ("test", "fit"):
        with pytest.raises(
            ConfigError, match=r"split dataset na64e_reference, .*fold 0.* this is .*fold 2.*data\.dataset"
        ):
            train(*OFF, "--data.fold", "2", "--ckpt_path", path, verb=verb)
    with pytest.raises(ConfigError, match=r"energy_blind none, this is ECAL; give model\.energy_blind"):
        train(*OFF, "--model.energy_blind", "[ECAL]", "--ckpt_path", path, verb="test")


def test_a_calibrated_network_is_not_trained_on(train: Train, tmp_path: Path) -> None:
    path = tmp_path / "calibrated.ckpt"
    write_checkpoint(path, *load_network(Path(train(*OFF).trainer.checkpoint_callback.best_model_path)))
    for verb in ("fit", "test"):
        with pytest.raises(ConfigError, match=r"calibrated\.ckpt: .*without the state of a training.*na64ml evaluate"):
            train(*OFF, "--ckpt_path", str(path), verb=verb)


@pytest.mark.parametrize("metric", ["auc", "accuracy", "rejection"])
def test_the_worst_network_is_not_kept_as_the_best(train: Train, metric: str) -> None:
    with pytest.raises(ConfigError, match=f"worst validation/{metric}; give --checkpoint.mode max"):
        train(*OFF, "--checkpoint.monitor", f"validation/{metric}")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model.augmentation.tracker_loss", "5"),
        ("model.augmentation.dead_channels", "-0.1"),
        ("model.augmentation.gain_spread", "-1"),
        ("model.augmentation.pile_up.probability", "10"),
        ("model.augmentation.pile_up.gate", "0"),
        ("model.signal_efficiency", "90"),
        ("model.label_smoothing", "-1"),
        ("data.batch_size", "0"),
    ],
)
def test_values_out_of_range_are_named(train: Train, key: str, value: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{key}: {value} is out of range"):
        train(*OFF, f"--{key}", value)


def test_an_unknown_detector_of_a_penalty_is_named(train: Train) -> None:
    with pytest.raises(ConfigError, match=r"model\.decorrelation\.detector: there is no FOO; give one of .*ECAL"):
        train(*OFF, "--model.decorrelation.detector", "FOO")
