"""PyTorch and the exported file give the same answers, and the check notices when they do not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from na64ml.events.batch import EventBatch
from na64ml.events.contract import Contract
from na64ml.export import onnx_export, parity
from na64ml.export.onnx_export import export
from na64ml.export.parity import ParityError, calorimeter_first, cases, check_parity, first_hits, reference_scores
from na64ml.inference import Scorer
from na64ml.inference.scorer import Scores
from na64ml.models.checkpoint import NetworkRecord
from na64ml.models.delivered import DeliveredNetwork
from na64ml.models.edge_conv_network import EdgeConvNetwork


class PermutedFeature(DeliveredNetwork):
    """The delivered network with two input columns exchanged."""

    columns = (0, 1)

    def forward(self, hits: torch.Tensor, *others: torch.Tensor) -> tuple[torch.Tensor, ...]:
        order = list(range(6))
        first, second = self.columns
        order[first], order[second] = second, first
        return super().forward(hits[:, order], *others)


@pytest.fixture(scope="module")
def delivered(network: EdgeConvNetwork) -> DeliveredNetwork:
    return DeliveredNetwork(network).eval()


def assert_same(found: Scores, expected: Scores) -> None:
    np.testing.assert_array_equal(found.status, expected.status)
    np.testing.assert_allclose(found.logits, expected.logits, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(found.score, expected.score, rtol=1e-5, atol=3e-5)
    np.testing.assert_allclose(found.probability, expected.probability, rtol=1e-4, atol=1e-6)


def test_the_exported_file_passes(delivered: DeliveredNetwork, onnx_file: Path, few_events: EventBatch) -> None:
    check_parity(delivered, onnx_file, few_events, delivered.network.k)


def test_the_check_covers_what_it_must(few_events: EventBatch) -> None:
    k = 4
    found = list(cases(few_events, few_events.select(slice(0, 8)), k))
    assert {size for name, _, size in found if "real" in name} == {1, 64}
    cut = {int(n) for _, batch, _ in found[2:] for n in batch.hits_per_event}
    assert {0, 1, k - 1, k, k + 1} <= cut
    assert any(batch.n_hits == 0 and len(batch) > 1 for _, batch, _ in found)


def test_every_case_with_hits_has_scored_events(delivered: DeliveredNetwork, few_events: EventBatch) -> None:
    """The first hit of most events is one of the SRD, which is not scored alone."""
    kinds = {detector.name: detector.kind for detector in delivered.network.inputs.detectors}
    few = few_events.select(slice(0, 8))
    one_hit = first_hits(few, np.ones(8, dtype=np.int64))
    assert (reference_scores(delivered, one_hit, 8).status == 1).any()
    for _, batch, size in cases(few_events, calorimeter_first(few, kinds), 4):
        assert (reference_scores(delivered, batch, size).status == 0).any() == (batch.n_hits > 0)


def test_calorimeter_hits_come_first_and_none_is_lost(few_events: EventBatch) -> None:
    kinds = dict.fromkeys(few_events.detectors, "counter") | {"ECAL": "calorimeter", "HCAL": "calorimeter"}
    ordered = calorimeter_first(few_events, kinds)
    names = np.array(few_events.detectors)
    for event in range(0, len(few_events), 9):
        own = slice(*few_events.offsets[event : event + 2])
        seen = np.isin(names[ordered.detector[own]], ["ECAL", "HCAL"])
        assert (np.diff(seen.astype(int)) <= 0).all()
        assert seen.any()
        assert sorted(ordered.channel[own].tolist()) == sorted(few_events.channel[own].tolist())
        np.testing.assert_allclose(ordered.hits[own, 3].sum(), few_events.hits[own, 3].sum(), rtol=1e-5)
        before = few_events.detector[own] == few_events.detector_index("ECAL")
        after = ordered.detector[own] == few_events.detector_index("ECAL")
        np.testing.assert_array_equal(few_events.hits[own][before], ordered.hits[own][after])


def test_a_case_whose_events_are_all_unscored_fails(
    delivered: DeliveredNetwork, onnx_file: Path, few_events: EventBatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parity, "calorimeter_first", lambda events, _: events)
    srd = few_events.select(np.flatnonzero(few_events.detector[few_events.offsets[:-1]] == 0))
    assert len(srd) > 8
    with pytest.raises(ParityError, match="events of 1 hits: none has status 0, nothing was compared"):
        check_parity(delivered, onnx_file, srd, delivered.network.k)


@pytest.mark.parametrize("size", [1, 16, 64])
@pytest.mark.parametrize("n_hits", [0, 1, 3, 4, 5])
def test_events_with_few_hits_agree(
    delivered: DeliveredNetwork, onnx_file: Path, few_events: EventBatch, n_hits: int, size: int
) -> None:
    ecal = few_events.select(np.arange(64))
    ecal = replace(ecal, detector=np.full(ecal.n_hits, few_events.detector_index("ECAL"), dtype=np.int16))
    events = first_hits(ecal, np.full(len(ecal), n_hits))
    found = Scorer(onnx_file, micro_batch=size).score(events)
    assert_same(found, reference_scores(delivered, events, size))
    assert set(found.status.tolist()) == ({1} if n_hits == 0 else {0})


def test_events_of_every_status_agree_in_one_batch(
    delivered: DeliveredNetwork, onnx_file: Path, few_events: EventBatch
) -> None:
    n_hits = few_events.hits_per_event.copy()
    n_hits[::7] = 0
    events = first_hits(few_events, n_hits)
    hits = events.hits.copy()
    hits[events.offsets[1:-1:5], 3] = np.nan
    events = replace(events, hits=hits)
    found = Scorer(onnx_file).score(events)
    assert set(found.status.tolist()) >= {0, 1, 3}
    assert_same(found, reference_scores(delivered, events, 16))


@pytest.mark.parametrize("columns", [(0, 1), (3, 4), (2, 3)])
def test_a_permuted_feature_fails_the_check(
    network: EdgeConvNetwork, onnx_file: Path, few_events: EventBatch, columns: tuple[int, int]
) -> None:
    permuted = PermutedFeature(network).eval()
    permuted.columns = columns
    with pytest.raises(ParityError, match=r"network\.onnx: real events in batches of 1"):
        check_parity(permuted, onnx_file, few_events, network.k)


def test_an_export_that_fails_the_check_leaves_no_file_and_keeps_the_old_one(
    network: EdgeConvNetwork,
    record: NetworkRecord,
    few_events: EventBatch,
    onnx_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is written comes from the true network, what it is compared with has two features exchanged."""
    monkeypatch.setattr(onnx_export, "DeliveredNetwork", PermutedFeature)
    monkeypatch.setattr(onnx_export, "_write", lambda _, path, __: path.write_bytes(onnx_file.read_bytes()))
    new, old = tmp_path / "new.onnx", tmp_path / "old.onnx"
    old.write_text("the network of last year")
    for output in (new, old):
        with pytest.raises(ParityError, match="logits differ by up to"):
            export(network, record, few_events, output)
    assert [path.name for path in tmp_path.iterdir()] == ["old.onnx"]
    assert old.read_text() == "the network of last year"


def test_weights_changed_in_the_file_are_noticed(
    delivered: DeliveredNetwork, onnx_file: Path, few_events: EventBatch, tmp_path: Path
) -> None:
    model = onnx.load(onnx_file)
    changed = 0
    for entry in model.graph.initializer:
        if entry.name.endswith("head.6.bias"):
            values = onnx.numpy_helper.to_array(entry).copy()
            values[0] += 1e-3
            entry.CopyFrom(onnx.numpy_helper.from_array(values, entry.name))
            changed += 1
    assert changed == 1
    onnx.save(model, tmp_path / "changed.onnx")
    with pytest.raises(ParityError, match=r"changed\.onnx: .*logits differ by up to 0\.001"):
        check_parity(delivered, tmp_path / "changed.onnx", few_events, delivered.network.k)


def test_a_check_without_events_or_without_scored_events_is_no_check(
    delivered: DeliveredNetwork, onnx_file: Path, few_events: EventBatch
) -> None:
    with pytest.raises(ParityError, match="without events"):
        check_parity(delivered, onnx_file, few_events.select(slice(0, 0)), 4)
    empty = first_hits(few_events, np.zeros(len(few_events), dtype=np.int64))
    with pytest.raises(ParityError, match="no event has a calorimeter hit"):
        check_parity(delivered, onnx_file, empty, 4)
    bad = replace(few_events, track=np.full_like(few_events.track, np.nan))
    with pytest.raises(ParityError, match="nothing was compared"):
        check_parity(delivered, onnx_file, bad, 4)


def test_decisions_at_the_working_points_must_be_equal(
    onnx_file: Path, few_events: EventBatch, delivered: DeliveredNetwork
) -> None:
    from na64ml.export.parity import _compare

    expected = reference_scores(delivered, few_events, 16)
    index = np.argsort(expected.score)[-3]  # above the highest quantile that is compared anyway
    threshold = float(expected.score[index]) + 0.005
    score = expected.score.copy()
    score[index] += 0.01  # the logits still agree
    found = replace(expected, score=score)
    _compare("case", found, expected, [])
    with pytest.raises(ParityError, match="1 decisions differ"):
        _compare("case", found, expected, [threshold])


def test_detector_names_and_kinds_are_in_the_contract(onnx_file: Path, record: NetworkRecord) -> None:
    assert Scorer(onnx_file).metadata.contracts == (Contract.model_validate(record.contract.model_dump()),)
