"""The export matrix finds all networks, measures agreement and disagreement, and its page is complete."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from na64ml.errors import ConfigError
from na64ml.events.batch import EventBatch
from na64ml.export.attention_trap import attention_outcomes
from na64ml.export.matrix import (
    GEOMETRIC_LAYERS,
    Candidate,
    Cell,
    Row,
    candidates,
    compare,
    compare_sizes,
    event_sizes,
    network_classes,
    variants,
)
from na64ml.export.matrix_page import is_right, render
from na64ml.export.onnx_export import OPSET
from na64ml.export.parity import reference_scores
from na64ml.inference.scorer import Scorer, Scores
from na64ml.models.delivered import DeliveredNetwork
from na64ml.models.edge_conv_network import EdgeConvNetwork
from na64ml.models.inputs import NetworkInputs
from na64ml.models.network import EventNetwork

PAGE = Path(__file__).parents[2] / "docs" / "export_matrix.md"


class AnyLayer(EventNetwork):
    """A network of any layer, which is not one of the package."""

    def __init__(self, inputs: NetworkInputs, layer: str = "", layer_args: dict | None = None) -> None:
        super().__init__(inputs)


def test_all_networks_of_the_package_are_found_and_no_others() -> None:
    found = network_classes()
    assert EdgeConvNetwork in found
    assert EventNetwork not in found
    assert AnyLayer not in found
    assert all(kind.__module__.startswith("na64ml.models.") for kind in found)


def test_networks_of_any_layer_are_tried_with_every_layer() -> None:
    tried = candidates([EdgeConvNetwork, AnyLayer])
    assert tried[0] == Candidate("EdgeConvNetwork", EdgeConvNetwork)
    assert [candidate.name for candidate in tried[1:]] == [
        f"AnyLayer({layer.rpartition('.')[2]})" for layer in GEOMETRIC_LAYERS
    ]
    assert {("dynamo", OPSET), ("TorchScript", 23)} <= set(variants())
    assert variants(["dynamo"], [19]) == [("dynamo", 19)]
    with pytest.raises(ConfigError, match="--exporters onnx: no such exporter; there are dynamo, TorchScript"):
        variants(["onnx"])


@pytest.fixture(scope="module")
def batches(few_events: EventBatch, inputs: NetworkInputs, network: EdgeConvNetwork) -> dict[str, EventBatch]:
    return event_sizes(few_events, inputs, network.k)


@pytest.fixture(scope="module")
def expected(network: EdgeConvNetwork, batches: dict[str, EventBatch]) -> dict[str, Scores]:
    delivered = DeliveredNetwork(network).eval()
    return {name: reference_scores(delivered, batch, 16) for name, batch in batches.items()}


def test_the_sizes_are_what_they_say(batches: dict[str, EventBatch], inputs: NetworkInputs) -> None:
    sizes = {name: set(batch.hits_per_event.tolist()) for name, batch in batches.items() if name != "typical"}
    assert sizes == {"0": {0}, "1": {1}, "k-1": {3}, "k": {4}, "k+1": {5}, "cap": {inputs.hit_cap}}


def test_the_exported_network_agrees_for_every_size(
    onnx_file: Path, batches: dict[str, EventBatch], expected: dict[str, Scores]
) -> None:
    cells = compare_sizes(Scorer(onnx_file), batches, expected)
    row = Row("EdgeConvNetwork", "dynamo", OPSET, cells)
    assert is_right(row)
    assert all(cell.wrong == 0 for cell in cells.values())
    assert {name for name, cell in cells.items() if cell.n_scored == 0} == {"0"}
    page = render([row], 100)
    assert "- `EdgeConvNetwork`: right with dynamo (18), of 1 tried" in page
    assert "| `EdgeConvNetwork` | dynamo | 18 | none |" in page


def test_another_network_does_not_agree(
    onnx_file: Path, batches: dict[str, EventBatch], expected: dict[str, Scores], tmp_path: Path
) -> None:
    model = onnx.load(onnx_file)
    for entry in model.graph.initializer:
        if entry.name.endswith("head.6.bias"):
            values = onnx.numpy_helper.to_array(entry).copy()
            values[0] += 0.5
            entry.CopyFrom(onnx.numpy_helper.from_array(values, entry.name))
    onnx.save(model, tmp_path / "other.onnx")
    cells = compare_sizes(Scorer(tmp_path / "other.onnx"), batches, expected)
    assert cells["typical"].difference == pytest.approx(0.5, rel=1e-3)
    assert cells["typical"].wrong > 0
    row = Row("EdgeConvNetwork", "dynamo", OPSET, cells)
    assert not is_right(row)
    assert "right with none, of 1 tried" in render([row], 100)
    assert "**5e-01**" in render([row], 100)


def test_statuses_and_decisions_near_a_threshold(expected: dict[str, Scores]) -> None:
    scores = expected["typical"]
    n = len(scores.status)
    assert compare(replace(scores, status=scores.status + 1), scores).fault == f"{n} of {n} statuses differ"
    median = np.argsort(scores.score)[len(scores.score) // 2]
    moved = scores.score.copy()
    moved[median] += np.float32(-1e-6)
    near = compare(replace(scores, score=moved), scores)
    assert near.wrong == 0
    faults = {"typical": Cell(fault="RuntimeError: <a|b>")}
    assert "fails: RuntimeError: (a/b)" in render([Row("A", "dynamo", 18, faults)], 100)
    assert "does not export: no" in render([Row("A", "dynamo", 18, faults), Row("B", "dynamo", 18, fault="no")], 100)


def test_attention_of_torch_is_compared_by_opset() -> None:
    outcomes = attention_outcomes([18, 23])
    assert float(outcomes[18]) < 1e-5
    assert outcomes[23] == "fails: inconsistent q_sequence_length (between attn_mask and Q)"
    assert f"| 23 | {outcomes[23]} |" in render([], 100, outcomes)


def test_the_page_has_all_networks_and_they_are_right_as_exported() -> None:
    page = PAGE.read_text()
    for candidate in candidates(network_classes()):
        assert f"| `{candidate.name}` | dynamo | {OPSET} |" in page, (
            "run: na64ml export-matrix --out docs/export_matrix.md"
        )
        (summary,) = (line for line in page.splitlines() if line.startswith(f"- `{candidate.name}`: "))
        assert "dynamo (" in summary
        assert str(OPSET) in summary
