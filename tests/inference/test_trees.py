"""Files that take analysis variables are scored like networks, wherever events come from."""

import pickle
from dataclasses import replace
from pathlib import Path

import awkward as ak
import lightgbm
import numpy as np
import pytest
import uproot

from na64ml.errors import InputError
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.export.parity import first_hits
from na64ml.inference import Scorer, Scores
from na64ml.inference.dask_columns import dask_columns
from na64ml.inference.event_builder import EventBuilder
from na64ml.inference.status import BAD_INPUT, NO_CALORIMETER_HITS, SCORED
from na64ml.resources import shipped
from na64ml.selection.absent import AbsentInputError
from na64ml.selection.mode import Mode
from na64ml.selection.variables import compute
from na64ml.selection.view import EventView

FILE = shipped("datasets") / "na64e_reference_b.root"
N = 60


@pytest.fixture(scope="module")
def scorer(trees_file: Path) -> Scorer:
    return Scorer(trees_file)


@pytest.fixture(scope="module")
def events(reader: EventReader) -> EventBatch:
    return reader.read(FILE).select(slice(0, N))


@pytest.fixture(scope="module")
def expected(scorer: Scorer, events: EventBatch) -> Scores:
    return scorer.score(events)


def assert_same(found: Scores, expected: Scores) -> None:
    for name in ("logits", "probability", "score", "status"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_scores_are_those_of_lightgbm(
    trees_file: Path, scorer: Scorer, reader: EventReader, mode: Mode, few_events: EventBatch
) -> None:
    booster = lightgbm.Booster(model_file=trees_file.with_suffix(".txt"))
    view = EventView(few_events, reader.setup, reader.conditions)
    probability = booster.predict(np.column_stack(list(compute(scorer.metadata.variables, view).values())))
    found = scorer.score(few_events)
    assert (found.status == SCORED).all()
    np.testing.assert_allclose(found.probability, probability, atol=1e-5)
    score = np.log(probability[:, 0]) - np.log(probability[:, 1:] @ mode.fractions)
    np.testing.assert_allclose(found.score, score, rtol=1e-4, atol=1e-4)
    assert found.score.std() > 0.1


@pytest.mark.parametrize("micro_batch", [1, 7, 1000])
def test_the_batch_size_does_not_matter(
    trees_file: Path, events: EventBatch, expected: Scores, micro_batch: int
) -> None:
    found = Scorer(trees_file, micro_batch=micro_batch).score(events)
    np.testing.assert_array_equal(found.status, expected.status)
    np.testing.assert_allclose(found.score, expected.score, rtol=1e-5, atol=1e-5)


def test_no_events_give_no_scores(scorer: Scorer, events: EventBatch) -> None:
    assert scorer.score(events.select(slice(0, 0))).score.shape == (0,)


def test_arrays_trees_and_records(scorer: Scorer, events: EventBatch, expected: Scores) -> None:
    with uproot.open(FILE) as root:
        tree = root["tree"]
        assert_same(scorer.score(tree.arrays(entry_stop=N)), expected)
        assert len(scorer.score(tree).score) == tree.num_entries
    assert_same(scorer.score(events.to_awkward()), expected)


def test_records_without_channels_are_refused(scorer: Scorer, events: EventBatch) -> None:
    records = events.to_awkward()
    hits = ak.without_field(records.hits, "channel")
    with pytest.raises(InputError, match="the channels of hits"):
        scorer.score(ak.with_field(records, hits, "hits"))


def test_a_pickled_scorer_scores(scorer: Scorer, events: EventBatch, expected: Scores) -> None:
    assert_same(pickle.loads(pickle.dumps(scorer)).score(events), expected)


def test_lazy_columns(scorer: Scorer) -> None:
    lazy = uproot.dask({str(FILE): "tree"}, steps_per_file=3)
    found = dask_columns(scorer, lazy)["score"].compute(scheduler="synchronous")
    with uproot.open(FILE) as root:
        np.testing.assert_allclose(ak.to_numpy(found), scorer.score(root["tree"]).score, rtol=1e-5, atol=1e-5)


def test_events_filled_hit_by_hit(trees_file: Path, events: EventBatch, expected: Scores, reader: EventReader) -> None:
    builder = EventBuilder(Scorer(trees_file), "na64e_reference")
    scored = []
    for i in range(len(events)):
        builder.begin(*events.ids[i].tolist())
        builder.set_track(p=events.track[i, 0], x=events.track[i, 3], y=events.track[i, 4])
        for row in range(*events.offsets[i : i + 2]):
            detector = reader.setup.detector(events.detectors[events.detector[row]])
            channel, hit = int(events.channel[row]), events.hits[row].tolist()
            if detector.kind == "tracker":
                label = detector.channels.label[channel]
                builder.add_coordinate(detector.name, label, hit[1] if label.endswith("Y") else hit[0])
            else:
                gain = reader.conditions.for_run(int(events.ids[i, 0])).channel_gains(detector)[channel]
                builder.add(detector.name, channel, energy=hit[3] / gain, time=hit[4])
        scored += builder.end()
    scored += builder.flush()
    assert [event.status for event in scored] == expected.status.tolist()
    np.testing.assert_allclose([event.score for event in scored], expected.score, rtol=1e-4, atol=1e-4)


def test_bad_and_empty_events_have_no_score(scorer: Scorer, events: EventBatch, expected: Scores) -> None:
    hits = events.hits.copy()
    hits[events.offsets[3], 3], hits[events.offsets[5], 3] = np.nan, np.inf
    found = scorer.score(replace(events, hits=hits))
    assert np.flatnonzero(found.status == BAD_INPUT).tolist() == [3, 5]
    assert np.isnan(found.score[[3, 5]]).all()
    others = np.setdiff1d(np.arange(N), [3, 5])
    np.testing.assert_array_equal(found.score[others], expected.score[others])
    empty = scorer.score(first_hits(events, np.zeros(N, dtype=np.int64)))
    assert (empty.status == NO_CALORIMETER_HITS).all()
    assert np.isnan(empty.score).all()


def test_a_track_that_was_not_measured_is_no_fault(scorer: Scorer, events: EventBatch, expected: Scores) -> None:
    track = events.track.copy()
    track[:, 0] = np.nan
    found = scorer.score(replace(events, track=track))
    assert (found.status == SCORED).all()
    assert np.abs(found.score - expected.score).max() > 0


def test_events_without_what_a_variable_needs_are_refused(
    trees_file: Path, reader: EventReader, events: EventBatch
) -> None:
    layout = reader.layout.model_copy(update={"track": {k: v for k, v in reader.layout.track.items() if k != "p"}})
    scorer = Scorer(trees_file, layout=layout)
    with pytest.raises(AbsentInputError, match=r"analysis variable 'track_momentum'.*'track\.p'"):
        scorer.score(events)
    view = EventView(events, reader.setup, reader.conditions)
    assert (scorer.score(events, view).status == SCORED).all()
