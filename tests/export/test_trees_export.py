"""The exported file says what LightGBM says, and the check notices when it does not."""

from dataclasses import replace
from pathlib import Path

import lightgbm
import onnx
import pytest

from na64ml.errors import ConfigError
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.export.parity import ParityError
from na64ml.export.trees_export import check_trees, check_trees_file, trees_hash
from na64ml.inference import Scorer
from na64ml.inference.metadata import VARIABLES
from na64ml.models.boosted_trees import Trees
from na64ml.models.inputs import NetworkInputs


@pytest.fixture(scope="module")
def trees(trees_file: Path, inputs: NetworkInputs) -> Trees:
    booster = lightgbm.Booster(model_file=trees_file.with_suffix(".txt"))
    return Trees(booster, Scorer(trees_file).metadata.variables, inputs)


def test_the_exported_file_passes(trees: Trees, trees_file: Path, reader: EventReader, few_events: EventBatch) -> None:
    check_trees(trees, reader, trees_file, few_events)


def test_exchanged_variables_are_noticed(
    trees: Trees, trees_file: Path, reader: EventReader, few_events: EventBatch
) -> None:
    first, second, *others = trees.variables
    with pytest.raises(ParityError, match="logits differ by up to"):
        check_trees(replace(trees, variables=(second, first, *others)), reader, trees_file, few_events)


@pytest.mark.parametrize("attribute", ["nodes_values", "nodes_missing_value_tracks_true", "target_weights"])
def test_other_trees_are_noticed(
    trees: Trees, trees_file: Path, reader: EventReader, few_events: EventBatch, tmp_path: Path, attribute: str
) -> None:
    model = onnx.load(trees_file)
    (node,) = [node for node in model.graph.node if node.name == "trees"]
    (found,) = [item for item in node.attribute if item.name == attribute]
    if found.floats:
        found.floats[:] = [1.001 * value for value in found.floats]
    else:
        found.ints[:] = [1 - value for value in found.ints]
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(ParityError, match=r"other\.onnx: .* differ"):
        check_trees(trees, reader, tmp_path / "other.onnx", few_events)


def test_a_discriminant_that_is_not_the_softmax_is_noticed(
    trees: Trees, trees_file: Path, reader: EventReader, few_events: EventBatch, tmp_path: Path
) -> None:
    model = onnx.load(trees_file)
    (node,) = [node for node in model.graph.node if node.op_type == "LogSoftmax"]
    node.op_type = "Identity"
    del node.attribute[:]
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(ParityError, match="probabilities differ"):
        check_trees(trees, reader, tmp_path / "other.onnx", few_events)


def test_the_file_describes_its_input(trees: Trees, trees_file: Path) -> None:
    known = Scorer(trees_file).metadata
    tensor = known.inputs[-1]
    assert [item.name for item in known.inputs] == ["hits", "detector", "event", "track", VARIABLES]
    assert (tensor.dtype, tensor.shape) == ("float32", ("events", len(trees.variables)))
    assert tensor.columns["hcal_energy"] == "GeV"
    assert known.variables == tuple(tensor.columns)
    domains = {node.domain for node in onnx.load(trees_file).graph.node}
    assert domains == {"", "ai.onnx.ml"}


def test_the_hash_is_that_of_trees_variables_and_inputs(trees: Trees, trees_file: Path) -> None:
    assert trees_hash(trees) == Scorer(trees_file).metadata.weights_hash
    text = trees.booster.model_to_string(num_iteration=7)
    others = [
        replace(trees, booster=lightgbm.Booster(model_str=text)),
        replace(trees, variables=trees.variables[::-1]),
        replace(trees, inputs=trees.inputs.model_copy(update={"hit_cap": 100})),
    ]
    assert len({trees_hash(other) for other in (trees, *others)}) == 4


def test_the_model_of_lightgbm_is_compared_with_the_file(
    trees_file: Path, inputs: NetworkInputs, reader: EventReader, few_events: EventBatch, tmp_path: Path
) -> None:
    text = trees_file.with_suffix(".txt")
    check_trees_file(trees_file, text, inputs, reader, few_events)
    shorter = tmp_path / "shorter.txt"
    lightgbm.Booster(model_file=text).save_model(shorter, num_iteration=7)
    with pytest.raises(ConfigError, match=r"shorter\.txt: key 'weights_hash' is .* the trees of .*trees\.onnx have"):
        check_trees_file(trees_file, shorter, inputs, reader, few_events)
    (tmp_path / "text.txt").write_text("hello")
    for name in ("text.txt", "none.txt"):
        with pytest.raises(ConfigError, match=f"{name}: is no model of LightGBM"):
            check_trees_file(trees_file, tmp_path / name, inputs, reader, few_events)
