"""Training with several processes."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from na64ml.training.command import TrainingCLI
from tests.training.conftest import QUIET, SMALL

Train = Callable[..., TrainingCLI]


@pytest.mark.slow
@pytest.mark.parametrize("remainder", [0, 1])
def test_two_processes_give_the_result_of_one(
    train: Train, write_file: Callable[..., Path], tmp_path: Path, cache_folder: Path, remainder: int
) -> None:
    """Also where one of them has no event in the last batch."""
    file = write_file(tmp_path / "few.root", np.arange(0, 5025, 40))
    options = (
        *("--data.files", f"[{file}]", "--trainer.logger", "false", "--model.augmentation", "null"),
        *("--trainer.limit_train_batches", "1.0", "--trainer.limit_val_batches", "1.0", "--trainer.max_epochs", "2"),
    )
    n_events = len(train(*options, "--trainer.fast_dev_run", "1").datamodule.sample.part("train"))
    options = (*options, "--data.batch_size", str(n_events - 1 if remainder else n_events // 2))
    one = train(*options)
    both = tmp_path / "both"
    command = ["fit", "--config", "na64e_invisible/train.yaml", *SMALL, *QUIET, *options]
    command += ["--root", str(both), "--data.cache", str(cache_folder)]
    command += ["--trainer.strategy", "ddp", "--trainer.devices", "2"]
    subprocess.run([sys.executable, "-m", "na64ml.cli", *command], check=True)
    alone, shared = (
        torch.load(path, weights_only=True)
        for path in (Path(one.trainer.checkpoint_callback.dirpath) / "last.ckpt", next(both.rglob("last.ckpt")))
    )
    assert alone["global_step"] == shared["global_step"] > 2
    for name, values in alone["state_dict"].items():
        torch.testing.assert_close(shared["state_dict"][name], values, rtol=0, atol=1e-5)
    best = [
        next(
            state["best_model_score"] for name, state in part["callbacks"].items() if name.startswith("ModelCheckpoint")
        )
        for part in (alone, shared)
    ]
    torch.testing.assert_close(best[1], best[0], rtol=1e-5, atol=0)  # the validation loss
