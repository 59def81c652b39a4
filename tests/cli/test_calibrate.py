import re
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import softmax

from na64ml.cli import main
from na64ml.cli.models import open_model
from na64ml.events.batch import EventBatch
from na64ml.models.checkpoint import NetworkRecord, load_network, write_checkpoint
from na64ml.models.edge_conv_network import EdgeConvNetwork

FILE = "shipped:na64e_reference.root"


@pytest.fixture
def checkpoint(network: EdgeConvNetwork, record: NetworkRecord, tmp_path: Path) -> Path:
    path = tmp_path / "best.ckpt"
    write_checkpoint(path, network, record)
    return path


def test_an_untrained_network_is_made_less_sure(
    checkpoint: Path,
    network: EdgeConvNetwork,
    few_events: EventBatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Its logits say nothing, so the best temperature is the largest; everything else stays."""
    out = tmp_path / "calibrated.ckpt"
    assert main(["calibrate", FILE, "--model", str(checkpoint), "--out", str(out)]) == 0
    calibrated, _ = load_network(out)
    assert float(calibrated.temperature) > 2
    for name, values in network.state_dict().items():
        if name != "temperature":
            assert torch.equal(calibrated.state_dict()[name], values)
    text = " ".join(capsys.readouterr().err.split())
    after, before = (float(word) for word in re.search(r"validation events: ([\d.]+), was ([\d.]+)", text).groups())
    assert after < before
    assert after >= np.log(7) - 0.01  # it knows nothing of the seven classes
    events = few_events.select(slice(0, 20))
    scores = {path: open_model(path).score(events) for path in (checkpoint, out)}
    assert np.array_equal(scores[out].logits, scores[checkpoint].logits)
    expected = softmax(scores[out].logits / float(calibrated.temperature), axis=1)
    np.testing.assert_allclose(scores[out].probability, expected, rtol=1e-4)


def test_an_exported_network_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", FILE, "--model", "model.onnx", "--out", str(tmp_path / "out.ckpt")]) == 2
    assert "calibrate before the export" in " ".join(capsys.readouterr().err.split())


def test_checkpoints_are_joined(checkpoint: Path, tmp_path: Path, network: EdgeConvNetwork) -> None:
    out = tmp_path / "both.ckpt"
    assert main(["ensemble", str(checkpoint), str(checkpoint), "--out", str(out)]) == 0
    joined, record = load_network(out)
    assert record.class_path.endswith("EnsembleNetwork")
    assert len(joined.members) == 2
    assert torch.equal(joined.members[1].state_dict()["head.0.weight"], network.state_dict()["head.0.weight"])
