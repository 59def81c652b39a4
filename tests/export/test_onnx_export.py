import json
from copy import deepcopy
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from na64ml.errors import ConfigError
from na64ml.events.batch import EventBatch
from na64ml.export.onnx_export import describe, export, weights_hash
from na64ml.inference.metadata import PROPERTY, SCHEMA, ModelMetadata, WorkingPoint
from na64ml.models.checkpoint import NetworkRecord
from na64ml.models.delivered import DeliveredNetwork
from na64ml.models.edge_conv_network import EdgeConvNetwork


@pytest.fixture(scope="module")
def model(onnx_file: Path) -> onnx.ModelProto:
    return onnx.load(onnx_file)


def axes(values: list[onnx.ValueInfoProto]) -> dict[str, list[str | int]]:
    return {value.name: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim] for value in values}


def test_the_file_is_standard_onnx_of_opset_18(model: onnx.ModelProto) -> None:
    onnx.checker.check_model(model, full_check=True)
    assert [(entry.domain, entry.version) for entry in model.opset_import if entry.domain in ("", "ai.onnx")] == [
        ("", 18)
    ]
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx"}
    assert not model.functions
    assert not any(entry.external_data for entry in model.graph.initializer)


def test_the_file_does_not_tell_where_it_was_made(onnx_file: Path) -> None:
    content = onnx_file.read_bytes()
    assert str(Path(__file__).parents[2]).encode() not in content
    assert b"stack_trace" not in content


def test_inputs_and_outputs_have_named_axes(model: onnx.ModelProto) -> None:
    assert axes(model.graph.input) == {
        "hits": ["hits", 6],
        "detector": ["hits"],
        "event": ["hits"],
        "track": ["events", 6],
    }
    assert axes(model.graph.output) == {
        "logits": ["events", 7],
        "probability": ["events", 7],
        "score": ["events"],
        "status": ["events"],
    }


def test_there_is_one_metadata_property_with_a_schema(
    model: onnx.ModelProto, network: EdgeConvNetwork, record: NetworkRecord, threshold: float
) -> None:
    assert [entry.key for entry in model.metadata_props] == [PROPERTY]
    content = json.loads(model.metadata_props[0].value)
    assert content["schema_version"] == SCHEMA
    metadata = ModelMetadata.model_validate(content)
    assert metadata.detectors == network.inputs.detector_names
    assert metadata.contracts == (record.contract,)
    assert metadata.classes[0] == "dark_photon"
    assert metadata.thresholds == {"signal_90": threshold}
    assert metadata.temperature == 1
    assert metadata.weights_hash == weights_hash(network)
    assert (metadata.run_id, metadata.data_hash) == (record.run_id, record.data_hash)
    assert metadata.inputs[0].columns["energy"] == "GeV"
    assert metadata.outputs[0].name == "logits"


def test_the_metadata_describe_the_tensors_of_the_file(model: onnx.ModelProto) -> None:
    metadata = ModelMetadata.model_validate_json(model.metadata_props[0].value)
    elements = {onnx.TensorProto.FLOAT: "float32", onnx.TensorProto.INT64: "int64"}
    for described, values in ((metadata.inputs, model.graph.input), (metadata.outputs, model.graph.output)):
        assert {item.name: list(item.shape) for item in described} == axes(values)
        assert {item.name: item.dtype for item in described} == {
            value.name: elements[value.type.tensor_type.elem_type] for value in values
        }


def test_the_temperature_of_a_calibrated_network_is_stated(network: EdgeConvNetwork, record: NetworkRecord) -> None:
    calibrated = deepcopy(network)
    calibrated.temperature.fill_(1.75)
    metadata = describe(calibrated, record, (), {})
    assert metadata.temperature == 1.75
    assert metadata.weights_hash != weights_hash(network)
    of_before = metadata.model_dump(exclude={"temperature"})
    assert ModelMetadata.model_validate(of_before).temperature is None


def test_new_working_points_are_not_a_new_network(network: EdgeConvNetwork, record: NetworkRecord) -> None:
    points = (WorkingPoint(name="tight", threshold=3.0, efficiency={}, interval="none"),)
    without, with_points = describe(network, record, (), {}), describe(network, record, points, {})
    assert without.weights_hash == with_points.weights_hash
    assert without != with_points


def test_new_weights_and_new_normalisation_are_a_new_network(network: EdgeConvNetwork, record: NetworkRecord) -> None:
    before = weights_hash(network)
    for values in (network.head[0].weight.data, network.features.hit_norm.mean):
        original = values.clone()
        values.flatten()[0] += 1
        changed = weights_hash(network)
        values.copy_(original)
        assert changed != before
    assert weights_hash(network) == before


def test_new_sizes_hit_cap_and_fractions_are_a_new_network(network: EdgeConvNetwork) -> None:
    """They change neighbours, statuses and scores without a change of the weights."""

    class Renamed(EdgeConvNetwork):
        pass

    fractions = dict(zip(network.inputs.classes[1:], (0.5, 0.1, 0.1, 0.1, 0.1, 0.1), strict=True))
    sizes = dict(network.hparams)
    variants = [EdgeConvNetwork(network.inputs, **sizes), EdgeConvNetwork(network.inputs, **sizes | {"k": 5})]
    variants += [
        EdgeConvNetwork(network.inputs.model_copy(update=update), **sizes)
        for update in ({"hit_cap": 100}, {"background_fractions": fractions})
    ]
    variants.append(Renamed(network.inputs, **sizes))
    for variant in variants:
        variant.load_state_dict(network.state_dict())
    same, *others = map(weights_hash, variants)
    assert same == weights_hash(network)
    assert len({same, *others}) == len(variants)


def test_only_scored_events_have_a_score(network: EdgeConvNetwork, few_events: EventBatch) -> None:
    delivered = DeliveredNetwork(network)
    # one event with a calorimeter hit, one without any hit
    hits = torch.tensor([[0.0, 0, 24, 10, 0, 0]])
    detector = torch.tensor([few_events.detector_index("ECAL")])
    track = torch.from_numpy(few_events.track[:2])
    logits, probability, score, status = delivered(hits, detector, torch.tensor([1]), track)
    assert status.tolist() == [1, 0]
    for values in (logits, probability, score[:, None]):
        assert torch.isnan(values[0]).all()
        assert torch.isfinite(values[1]).all()
    assert probability[1].sum().item() == pytest.approx(1)


def test_operators_outside_the_standard_are_refused(
    network: EdgeConvNetwork,
    record: NetworkRecord,
    few_events: EventBatch,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    onnx_file: Path,
) -> None:
    class Program:
        model_proto = onnx.load(onnx_file)

    Program.model_proto.graph.node[3].domain = "com.microsoft"
    monkeypatch.setattr(torch.onnx, "export", lambda *arguments, **options: Program)
    with pytest.raises(ConfigError, match=f"not standard ONNX: {Program.model_proto.graph.node[3].op_type}"):
        export(network, record, few_events, tmp_path / "out.onnx")
    assert list(tmp_path.iterdir()) == []


def test_the_description_of_a_working_point_reaches_the_scorer(onnx_file: Path, threshold: float) -> None:
    from na64ml.inference import Scorer

    point = Scorer(onnx_file).metadata.working_points[0]
    assert point.efficiency["dark_photon"] == (0.9, 0.88, 0.92)
    assert point.interval == "Clopper-Pearson 95 %"
    assert np.isclose(point.threshold, threshold)
