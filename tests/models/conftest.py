"""Networks written to ONNX files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from na64ml.events.batch import EventBatch
from na64ml.export.onnx_export import export
from na64ml.models.checkpoint import NetworkRecord
from na64ml.models.network import EventNetwork


@pytest.fixture
def export_small(record: NetworkRecord, few_events: EventBatch, tmp_path: Path) -> Callable[[EventNetwork], Path]:
    """Export a network, with as few events as its parity check can do with."""

    def write(network: EventNetwork) -> Path:
        described = record.model_copy(update={"init_args": dict(network.hparams), "inputs": network.inputs})
        file = tmp_path / "network.onnx"
        export(network, described, few_events.select(slice(0, None, 10)), file)
        return file

    return write
