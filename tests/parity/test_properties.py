"""Whatever the events hold, both scorers answer: a score where the status is 0, NaN where it is not, and no crash."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from na64ml.events.batch import HIT_FEATURES, TRACK_FEATURES, EventBatch
from na64ml.inference import Scorer
from na64ml.inference.metadata import ModelMetadata
from na64ml.inference.status import BAD_INPUT, NO_CALORIMETER_HITS, SCORED, TRUNCATED
from na64ml.setups.setup import load_setup

from .conftest import CppScorer

SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, -0.1, -0.2, 1e-40, 1e30, -1e30, 3e38]
CAP = 512
quiet = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def batches(draw: st.DrawFn, detectors: tuple[str, ...], special: bool = True) -> EventBatch:
    """Events with hits as they are measured, of any number, and values in them replaced by special ones."""
    sizes = st.one_of(
        st.integers(0, 8), st.integers(30, 80), st.sampled_from([CAP, CAP + 1, 2000] if special else [100])
    )
    counts = np.array(draw(st.lists(sizes, min_size=0 if special else 1, max_size=12)), dtype=np.int64)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_events, n_hits = len(counts), int(counts.sum())
    hits = np.stack(
        [
            random.uniform(-300, 300, n_hits),
            random.uniform(-300, 300, n_hits),
            random.uniform(-12_000, 8_000, n_hits),
            random.exponential(2.0, n_hits),
            np.where(random.random(n_hits) < 0.5, np.nan, random.normal(0, 2, n_hits)),
            random.integers(0, 3, n_hits),
        ],
        axis=1,
    ).astype(np.float32)
    track = random.normal([100, 0, 0, 0, 0, 1], [10, 1e-3, 1e-3, 10, 10, 0.1], (n_events, 6)).astype(np.float32)
    if special:
        for table in (hits, track):
            places = st.tuples(st.integers(0, max(len(table) - 1, 0)), st.integers(0, 5), st.sampled_from(SPECIAL))
            for row, column, value in draw(st.lists(places, max_size=4)) if len(table) else ():
                table[row, column] = value
    return EventBatch(
        detectors=detectors,
        processes=(),
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        hits=hits,
        detector=random.choice(draw(st.sampled_from([range(len(detectors)), [0]])), n_hits).astype(np.int16),
        channel=np.zeros(n_hits, dtype=np.int16),
        ids=np.zeros((n_events, 3), dtype=np.int64),
        track=track,
        process=np.zeros(n_events, dtype=np.int16),
        weight=np.ones(n_events),
    )


def expected_status(events: EventBatch, metadata: ModelMetadata) -> np.ndarray:
    """The rules of the model file, event by event."""
    setup = load_setup("na64e_reference")
    energy, time = HIT_FEATURES.index("energy"), HIT_FEATURES.index("time")
    impact = [TRACK_FEATURES.index("x"), TRACK_FEATURES.index("y")]
    status = []
    for i in range(len(events)):
        own = slice(*events.offsets[i : i + 2])
        found = [setup.detector(events.detectors[index]) for index in events.detector[own]]
        lowest = np.array([-5 * d.noise.value if d.noise else -np.inf for d in found], dtype=np.float32)
        hits, track = events.hits[own], events.track[i]
        wrong = (
            not np.isfinite(np.delete(hits, time, axis=1)).all()
            or np.isinf(hits[:, time]).any()
            or (hits[:, energy] < lowest).any()
            or np.isinf(track).any()
            or np.isnan(track[impact]).any()
        )
        calorimeter = any(detector.kind == "calorimeter" for detector in found)
        if wrong:
            status.append(BAD_INPUT)
        elif len(hits) > metadata.hit_cap:
            status.append(TRUNCATED)
        else:
            status.append(SCORED if calorimeter else NO_CALORIMETER_HITS)
    return np.array(status, dtype=np.int8)


def check(events: EventBatch, status: np.ndarray, metadata: ModelMetadata, *columns: np.ndarray) -> None:
    np.testing.assert_array_equal(status, expected_status(events, metadata))
    for values in columns:
        table = values if values.ndim == 2 else values[:, None]
        np.testing.assert_array_equal(np.isnan(table).any(axis=1), status != SCORED)


@pytest.fixture(scope="module")
def scorer(onnx_file: Path) -> Scorer:
    return Scorer(onnx_file)


@settings(quiet, max_examples=80)
@given(data=st.data())
def test_python_gives_every_event_its_status(scorer: Scorer, data: st.DataObject) -> None:
    assert scorer.metadata.hit_cap == CAP
    events = data.draw(batches(scorer.metadata.detectors))
    scores = scorer.score(events)
    check(events, scores.status, scorer.metadata, scores.score, scores.probability, scores.logits)


@settings(quiet, max_examples=30)
@given(data=st.data(), micro_batch=st.integers(1, 9))
def test_the_company_of_an_event_does_not_matter(onnx_file: Path, data: st.DataObject, micro_batch: int) -> None:
    scorer = Scorer(onnx_file, micro_batch=micro_batch)
    events = data.draw(batches(scorer.metadata.detectors, special=False))
    together = scorer.score(events)
    which = data.draw(st.integers(0, len(events) - 1))
    alone = scorer.score(events.select([which]))
    assert together.status[which] == alone.status[0]
    np.testing.assert_allclose(together.score[which], alone.score[0], rtol=1e-4, atol=1e-4)


@settings(quiet, max_examples=20)
@given(data=st.data(), micro_batch=st.sampled_from([1, 16]))
def test_cpp_gives_every_event_its_status(
    cpp: CppScorer, onnx_file: Path, tmp_path: Path, data: st.DataObject, micro_batch: int
) -> None:
    scorer = Scorer(onnx_file, micro_batch=micro_batch)
    events = data.draw(batches(scorer.metadata.detectors))
    found = cpp.score(onnx_file, events, tmp_path / "arrays", micro_batch)
    check(events, found.status, scorer.metadata, found.score, found.probability)
    np.testing.assert_allclose(found.score, scorer.score(events).score, rtol=1e-6, atol=1e-5)
