from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import uproot

from na64ml.events.batch import EventBatch
from na64ml.export.onnx_export import export
from na64ml.graphs.batch import PackedBatch
from na64ml.inference.scorer import Scorer
from na64ml.models.checkpoint import load_network
from na64ml.training.command import TrainingCLI

Train = Callable[..., TrainingCLI]
HALF = ("--trainer.precision", "bf16-mixed", "--trainer.logger", "false")


def loss(cli: TrainingCLI, name: str = "train/loss") -> float:
    return float(cli.trainer.callback_metrics[name])


def checkpoint(cli: TrainingCLI) -> Path:
    return Path(cli.trainer.checkpoint_callback.dirpath) / "best.ckpt"


def test_half_precision_trains(train: Train) -> None:
    cli = train(*HALF)
    assert cli.trainer.precision == "bf16-mixed"
    full = train("--trainer.logger", "false")
    assert loss(cli) == pytest.approx(loss(full), rel=0.02)
    assert loss(cli) != loss(full)
    assert 0 < loss(cli, "validation/auc") <= 1
    assert all(values.dtype == torch.float32 for values in cli.model.network.parameters())


def test_the_network_is_delivered_in_32_bits(
    train: Train, few_events: EventBatch, packed: Callable[[EventBatch], PackedBatch], tmp_path: Path
) -> None:
    network, record = load_network(checkpoint(train(*HALF)))
    export(network, record, few_events, tmp_path / "half.onnx")  # with the parity check
    scores = Scorer(tmp_path / "half.onnx").score(few_events)
    assert (scores.status == 0).any()
    batch = packed(few_events)
    with torch.inference_mode():
        full = network(batch.hits, batch.detector, batch.event, batch.track)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            half = network(batch.hits, batch.detector, batch.event, batch.track).float()
    scored = scores.status == 0
    np.testing.assert_allclose(scores.logits[scored], full.numpy()[scored], rtol=1e-5, atol=1e-5)
    assert np.abs(half.numpy() - scores.logits)[scored].max() > 1e-3


def test_validation_and_predictions_are_those_of_the_delivered_network(train: Train, tmp_path: Path) -> None:
    cli = train(*HALF)
    path = str(checkpoint(cli))
    files = [tmp_path / f"{precision}.root" for precision in ("bf16-mixed", "32-true")]
    for file in files:
        options = ("--trainer.precision", file.stem, "--trainer.logger", "false")
        train("--ckpt_path", path, "--predictions.path", str(file), *options, verb="predict")
    half, full = (uproot.open(file)["scores"].arrays(library="np") for file in files)
    for name, values in full.items():
        np.testing.assert_array_equal(half[name], values)
    losses = [
        loss(train("--ckpt_path", path, "--trainer.precision", file.stem, verb="validate"), "validation/loss")
        for file in files
    ]
    assert losses[0] == losses[1]
