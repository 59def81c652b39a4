import logging
from pathlib import Path

import numpy as np
import pytest

from na64ml.cli.models import Model, open_model
from na64ml.errors import ConfigError, ContractError
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.export.onnx_export import weights_hash
from na64ml.models.checkpoint import NetworkRecord
from na64ml.models.edge_conv_network import EdgeConvNetwork
from na64ml.selection.mode import Mode


@pytest.fixture(scope="module")
def exported(onnx_file: Path) -> Model:
    return open_model(onnx_file)


@pytest.fixture(scope="module", params=["checkpoint", "exported"])
def model(request: pytest.FixtureRequest, onnx_file: Path, checkpoint: Path) -> Model:
    return open_model(checkpoint if request.param == "checkpoint" else onnx_file)


def test_both_kinds_of_file_describe_the_same_network(
    model: Model, network: EdgeConvNetwork, record: NetworkRecord, few_events: EventBatch
) -> None:
    assert model.weights_hash == weights_hash(network)
    assert model.classes == record.inputs.classes
    assert model.background_fractions == record.inputs.background_fractions
    assert (model.data_hash, model.conditions_hash) == (record.data_hash, record.conditions_hash)
    assert (model.score(few_events).status == 0).all()


def test_detectors_are_found_by_name(model: Model, few_events: EventBatch) -> None:
    """Layouts may list the same detectors in another order."""
    other = few_events.with_detectors(few_events.detectors[::-1])
    assert (other.detector != few_events.detector).any()
    np.testing.assert_array_equal(model.score(other).score, model.score(few_events).score)


def test_a_mode_with_other_classes_is_refused(model: Model, mode: Mode) -> None:
    model.check_mode(mode)
    names = list(mode.classes)
    names[1], names[2] = names[2], names[1]
    with pytest.raises(ConfigError) as raised:
        model.check_mode(mode.model_copy(update={"classes": tuple(names)}))
    for text in (str(model.path), f"output 1: {names[2]} / {names[1]}", f"output 2: {names[1]} / {names[2]}"):
        assert text in str(raised.value)
    with pytest.raises(ConfigError, match=f"output 6: {mode.classes[6]} / none"):
        model.check_mode(mode.model_copy(update={"classes": mode.classes[:6]}))


def test_other_background_fractions_are_warned_about(
    model: Model, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        model.check_mode(mode)
        assert caplog.text == ""
        first, last = mode.classes[1], mode.classes[-1]
        fractions = dict(mode.background_fractions)
        fractions[first] = fractions[first].model_copy(update={"value": 0.77})
        model.check_mode(mode.model_copy(update={"background_fractions": fractions}))
    assert f"of {first}" in caplog.text
    assert "0.77" in caplog.text
    assert last not in caplog.text


def test_contract_and_conditions_are_checked_alike(
    model: Model, reader: EventReader, caplog: pytest.LogCaptureFixture
) -> None:
    model.check(reader.contract, model.conditions_hash)
    assert caplog.text == ""
    model.check(reader.contract, "ffffffffffffffff")
    assert f"{model.path}: was trained with run conditions {model.conditions_hash}" in caplog.text
    other = reader.contract.model_copy(update={"frame": "z along the neutral beam"})
    with pytest.raises(ContractError, match=r"do not fit the network.*frame: z along the beam"):
        model.check(other)
