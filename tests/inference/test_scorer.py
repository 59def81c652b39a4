import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from na64ml.errors import ConfigError, ContractError
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.export.parity import first_hits
from na64ml.inference import Scorer, Scores
from na64ml.inference.metadata import PROPERTY
from na64ml.inference.status import BAD_INPUT, NO_CALORIMETER_HITS, SCORED, TRUNCATED


@pytest.fixture(scope="module")
def scorer(onnx_file: Path) -> Scorer:
    return Scorer(onnx_file)


def assert_same(found: Scores, expected: Scores, which: np.ndarray | slice = slice(None)) -> None:
    np.testing.assert_array_equal(found.status[which], expected.status[which])
    for name in ("logits", "probability", "score"):
        np.testing.assert_allclose(getattr(found, name)[which], getattr(expected, name)[which], rtol=1e-4, atol=1e-5)


def test_every_event_gets_a_score_in_order(scorer: Scorer, few_events: EventBatch) -> None:
    scores = scorer.score(few_events)
    n = len(few_events)
    assert (scores.logits.shape, scores.probability.shape, scores.score.shape) == ((n, 7), (n, 7), (n,))
    assert (scores.status == SCORED).all()
    assert scores.status.dtype == np.int8
    assert scores.score.std() > 1e-3
    np.testing.assert_allclose(scores.probability.sum(axis=1), 1, rtol=1e-5)
    order = np.random.default_rng(0).permutation(n)
    assert_same(scorer.score(few_events.select(order)), replace(scores, **_taken(scores, order)))


def _taken(scores: Scores, order: np.ndarray) -> dict[str, np.ndarray]:
    return {name: getattr(scores, name)[order] for name in ("logits", "probability", "score", "status")}


@pytest.mark.parametrize("micro_batch", [1, 2, 7, 64, 1000])
def test_the_batch_size_does_not_matter(
    scorer: Scorer, onnx_file: Path, few_events: EventBatch, micro_batch: int
) -> None:
    assert_same(Scorer(onnx_file, micro_batch=micro_batch).score(few_events), scorer.score(few_events))


def test_no_events_give_no_scores(scorer: Scorer, few_events: EventBatch) -> None:
    scores = scorer.score(few_events.select(slice(0, 0)))
    assert scores.logits.shape == (0, 7)
    assert scores.score.shape == scores.status.shape == (0,)


def test_micro_batches_hold_at_least_one_event(onnx_file: Path) -> None:
    with pytest.raises(ConfigError, match="micro_batch is -1"):
        Scorer(onnx_file, micro_batch=-1)


def test_bad_energy_concerns_its_own_event_only(scorer: Scorer, few_events: EventBatch) -> None:
    clean = scorer.score(few_events)
    hits = few_events.hits.copy()
    hits[few_events.offsets[3], 3] = np.nan
    hits[few_events.offsets[8], 3] = np.inf
    scores = scorer.score(replace(few_events, hits=hits))
    assert np.flatnonzero(scores.status != SCORED).tolist() == [3, 8]
    assert (scores.status[[3, 8]] == BAD_INPUT).all()
    assert np.isnan(scores.score[[3, 8]]).all()
    assert np.isnan(scores.probability[[3, 8]]).all()
    others = np.setdiff1d(np.arange(len(few_events)), [3, 8])
    assert_same(scores, clean, others)


def test_events_above_the_cap_are_not_scored(scorer: Scorer, few_events: EventBatch) -> None:
    cap = scorer.metadata.hit_cap
    for n_hits, status in ((cap, SCORED), (cap + 1, TRUNCATED)):
        rows = np.zeros(n_hits, dtype=np.int64)
        ecal = int(np.argmax(few_events.detector == few_events.detector_index("ECAL")))
        big = replace(
            few_events.select([0]),
            offsets=np.array([0, n_hits]),
            hits=few_events.hits[rows + ecal],
            detector=few_events.detector[rows + ecal],
            channel=few_events.channel[rows + ecal],
        )
        assert scorer.score(big).status.tolist() == [status]


def test_events_without_hits_are_not_scored(scorer: Scorer, few_events: EventBatch) -> None:
    scores = scorer.score(first_hits(few_events, np.zeros(len(few_events), dtype=np.int64)))
    assert (scores.status == NO_CALORIMETER_HITS).all()
    assert np.isnan(scores.score).all()


def test_detectors_are_found_by_name(scorer: Scorer, few_events: EventBatch) -> None:
    order = np.array([4, 2, 0, 1, 6, 5, 3])
    names = tuple(few_events.detectors[i] for i in order)
    renumbered = replace(few_events, detectors=names, detector=np.argsort(order)[few_events.detector].astype(np.int16))
    assert_same(scorer.score(renumbered), scorer.score(few_events))


def test_an_unknown_detector_is_named(scorer: Scorer, few_events: EventBatch) -> None:
    names = tuple("WCAL" if name == "ECAL" else name for name in few_events.detectors)
    with pytest.raises(ContractError, match=r"does not know detector WCAL; it was trained with SRD, VHCAL, ECAL"):
        scorer.score(replace(few_events, detectors=names))


def test_a_contract_mismatch_lists_everything_that_differs(scorer: Scorer, reader: EventReader) -> None:
    scorer.check(reader.contract)
    detectors = {**reader.contract.detectors, "WCAL": "calorimeter", "HCAL": "calorimeter (segment sums)"}
    del detectors["VHCAL"]
    other = reader.contract.model_copy(update={"detectors": detectors, "frame": "z along the neutral beam"})
    with pytest.raises(ContractError) as raised:
        scorer.check(other)
    for expected in (
        "detector WCAL: absent / calorimeter",
        "detector HCAL: calorimeter / calorimeter (segment sums)",
        "detector VHCAL: calorimeter / absent",
        "frame: z along the beam",
        str(scorer.model),
    ):
        assert expected in str(raised.value)


def test_other_run_conditions_are_warned_about(
    scorer: Scorer, reader: EventReader, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        scorer.check(reader.contract, scorer.metadata.conditions_hash)
        assert caplog.text == ""
        scorer.check(reader.contract, "ffffffffffffffff")
    assert "ffffffffffffffff" in caplog.text
    assert scorer.metadata.conditions_hash in caplog.text


def test_files_that_are_no_network_are_refused(onnx_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.onnx: no such file"):
        Scorer(tmp_path / "none.onnx")
    (tmp_path / "cut.onnx").write_bytes(onnx_file.read_bytes()[:5000])
    with pytest.raises(ConfigError, match=r"cut\.onnx: is not an ONNX network file, or a damaged one"):
        Scorer(tmp_path / "cut.onnx")
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(ConfigError, match=r"text\.onnx: is not an ONNX network file"):
        Scorer(tmp_path / "text.onnx")


def with_metadata(onnx_file: Path, path: Path, text: str | None) -> Path:
    model = onnx.load(onnx_file)
    del model.metadata_props[:]
    if text is not None:
        entry = model.metadata_props.add()
        entry.key, entry.value = PROPERTY, text
    onnx.save(model, path)
    return path


def test_networks_without_our_metadata_are_refused(onnx_file: Path, scorer: Scorer, tmp_path: Path) -> None:
    foreign = with_metadata(onnx_file, tmp_path / "foreign.onnx", None)
    with pytest.raises(ConfigError, match=r"foreign\.onnx: has no metadata property 'na64ml'"):
        Scorer(foreign)
    for update in ({"schema_version": 99}, {"classes": None}, {"contracts": ()}):
        changed = scorer.metadata.model_copy(update=update)
        file = with_metadata(onnx_file, tmp_path / "other.onnx", changed.model_dump_json(warnings=False))
        with pytest.raises(ConfigError, match=r"other\.onnx: .*schema"):
            Scorer(file)


@pytest.mark.parametrize("side", ["inputs", "outputs"])
def test_metadata_that_do_not_describe_the_tensors_are_refused(
    onnx_file: Path, scorer: Scorer, tmp_path: Path, side: str
) -> None:
    changed = scorer.metadata.model_copy(update={side: getattr(scorer.metadata, side)[::-1]})
    if side == "outputs":
        renamed = changed.outputs[0].model_copy(update={"name": "verdict"})
        changed = changed.model_copy(update={"outputs": (renamed, *changed.outputs[1:])})
    file = with_metadata(onnx_file, tmp_path / "other.onnx", changed.model_dump_json())
    with pytest.raises(ConfigError, match=r"other\.onnx: .*export the network again"):
        Scorer(file)


def test_threads_may_share_a_scorer(scorer: Scorer, few_events: EventBatch) -> None:
    parts = [few_events.select(slice(start, None, 4)) for start in range(4)] * 5
    expected = [scorer.score(part) for part in parts]
    with ThreadPoolExecutor(4) as pool:
        for found, alone in zip(pool.map(scorer.score, parts), expected, strict=True):
            for name in ("logits", "probability", "score", "status"):
                np.testing.assert_array_equal(getattr(found, name), getattr(alone, name))
