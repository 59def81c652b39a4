from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from na64ml.errors import ConfigError
from na64ml.events.batch import EventBatch
from na64ml.export.onnx_export import export
from na64ml.graphs.batch import PackedBatch
from na64ml.graphs.sample import Split
from na64ml.models.checkpoint import NetworkRecord, load_network, network_record, write_checkpoint
from na64ml.models.deep_sets_network import DeepSetsNetwork
from na64ml.models.edge_conv_network import EdgeConvNetwork
from na64ml.models.ensemble_network import EnsembleNetwork, ensemble
from na64ml.models.network import EventNetwork

Pack = Callable[[EventBatch], PackedBatch]


def described(network: EventNetwork, record: NetworkRecord, **changes: object) -> NetworkRecord:
    names = ("contract", "conditions_hash", "data_hash", "layout", "mode", "split", "run_id")
    return network_record(network, **{name: getattr(record, name) for name in names} | changes)


@pytest.fixture
def members(network: EdgeConvNetwork, few_events: EventBatch, packed: Pack) -> list[EventNetwork]:
    torch.manual_seed(8)
    other = DeepSetsNetwork(network.inputs, width=8, pool_width=4, head_width=8)
    other.fit_normalisation([packed(few_events)])
    other.temperature.fill_(2.5)
    return [network, other.eval()]


def test_probabilities_are_averaged_after_calibration(
    members: list[EventNetwork], record: NetworkRecord, few_events: EventBatch, packed: Pack, tmp_path: Path
) -> None:
    records = [described(member, record) for member in members]
    joined, joined_record = ensemble(members, records, ["a.ckpt", "b.ckpt"])
    batch = packed(few_events)
    arguments = (batch.hits, batch.detector, batch.event, batch.track)
    with torch.inference_mode():
        first, second = (member(*arguments) for member in members)
        expected = (torch.softmax(first, 1) + torch.softmax(second / 2.5, 1)) / 2
        found = torch.softmax(joined(*arguments), 1)
    torch.testing.assert_close(found, expected)
    assert not torch.allclose(found, torch.softmax(first, 1), atol=1e-3)
    write_checkpoint(tmp_path / "both.ckpt", joined, joined_record)
    again, found_record = load_network(tmp_path / "both.ckpt")
    assert isinstance(again, EnsembleNetwork)
    assert found_record == joined_record
    with torch.inference_mode():
        torch.testing.assert_close(again(*arguments), joined(*arguments), rtol=0, atol=0)
    # One file; it is compared with PyTorch before it is written.
    metadata = export(again, found_record, few_events.select(slice(0, None, 10)), tmp_path / "both.onnx")
    assert metadata.weights_hash
    assert (tmp_path / "both.onnx").is_file()


def test_members_must_answer_the_same_question(members: list[EventNetwork], record: NetworkRecord) -> None:
    records = [described(member, record) for member in members]
    other = described(members[1], record, split=Split(dataset="na64e_reference", fold=1))
    with pytest.raises(ConfigError, match=r"b\.ckpt: key 'split' differs from that of a\.ckpt"):
        ensemble(members, [records[0], other], ["a.ckpt", "b.ckpt"])
    with pytest.raises(ConfigError, match="at least two"):
        ensemble(members[:1], records[:1], ["a.ckpt"])
