"""Arrays, dictionaries and trees get the scores that the reader's events get."""

import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from na64ml.errors import ConfigError, ContractError, InputError
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.inference import Scorer, Scores
from na64ml.resources import shipped

FILE = shipped("datasets") / "na64e_reference_b.root"
N = 60


@pytest.fixture(scope="module")
def scorer(onnx_file: Path) -> Scorer:
    return Scorer(onnx_file)


@pytest.fixture(scope="module")
def expected(scorer: Scorer, events: EventBatch) -> Scores:
    return scorer.score(events)


@pytest.fixture(scope="module")
def events(reader: EventReader) -> EventBatch:
    return reader.read(FILE).select(slice(0, N))


@pytest.fixture(scope="module")
def arrays() -> ak.Array:
    with uproot.open(FILE) as root:
        return root["tree"].arrays(entry_stop=N)


def assert_same(found: Scores, expected: Scores) -> None:
    for name in ("logits", "probability", "score", "status"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


def test_awkward_arrays_with_the_branches_of_the_layout(scorer: Scorer, arrays: ak.Array, expected: Scores) -> None:
    assert_same(scorer.score(arrays), expected)


def test_dictionaries_of_numpy_arrays(scorer: Scorer, arrays: ak.Array, expected: Scores) -> None:
    def in_numpy(array: ak.Array) -> np.ndarray:
        return np.array(ak.to_list(array), dtype=object) if "var" in str(array.type) else ak.to_numpy(array)

    columns = {name: in_numpy(arrays[name]) for name in arrays.fields if not name.startswith("mc_")}
    assert columns["ECAL_ene"].shape == (N, 2, 6, 6)
    assert_same(scorer.score(columns | {"not_in_the_layout": None}), expected)


def test_records_of_hits(scorer: Scorer, events: EventBatch, expected: Scores) -> None:
    records = events.to_awkward()
    assert_same(scorer.score(records), expected)
    assert_same(scorer.score(records[["hits", "track"]]), expected)


def test_records_of_hits_with_detector_names(scorer: Scorer, events: EventBatch, expected: Scores) -> None:
    records = events.to_awkward()
    counts = ak.num(records.hits.x)
    names = ak.unflatten(ak.Array(np.array(events.detectors)[events.detector].tolist()), counts)
    hits = ak.zip(
        {name: records.hits[name] for name in ("x", "y", "z", "energy", "time", "axis")} | {"detector": names}
    )
    assert_same(scorer.score(ak.zip({"hits": hits, "track": records.track}, depth_limit=1)), expected)
    renamed = ak.with_field(hits, ak.str.replace_substring(names, pattern="ECAL", replacement="WCAL"), "detector")
    with pytest.raises(ContractError, match="does not know detector WCAL"):
        scorer.score(ak.zip({"hits": renamed, "track": records.track}, depth_limit=1))


def test_trees_are_scored_in_steps(scorer: Scorer, reader: EventReader) -> None:
    expected = scorer.score(reader.read(FILE))
    with uproot.open(FILE) as root:
        found = scorer.score(root["tree"])
    assert_same(found, expected)


def test_columns_are_those_of_the_friend_tree(scorer: Scorer, arrays: ak.Array, expected: Scores) -> None:
    columns = scorer.columns(arrays)
    assert list(columns) == [*(f"p_{name}" for name in scorer.metadata.classes), "score", "status"]
    np.testing.assert_array_equal(columns["p_dimuon"], expected.probability[:, scorer.metadata.classes.index("dimuon")])
    np.testing.assert_array_equal(columns["score"], expected.score)


def test_no_events_in_any_form(scorer: Scorer, arrays: ak.Array, events: EventBatch) -> None:
    for none in (arrays[:0], events.select(slice(0, 0)), events.select(slice(0, 0)).to_awkward()):
        assert len(scorer.score(none).score) == 0


def test_what_the_layout_needs_is_named(scorer: Scorer, arrays: ak.Array) -> None:
    with pytest.raises(
        InputError, match=r"arrays: .*branch 'ECAL_ene' \(layout key detectors\[2\]\.energy\) is missing"
    ):
        scorer.score(arrays[[name for name in arrays.fields if name != "ECAL_ene"]])
    columns = {name: arrays[name] for name in arrays.fields}
    with pytest.raises(InputError, match="branch 'run' has 60 events, branch 'HCAL_ene' has 59"):
        scorer.score(columns | {"HCAL_ene": arrays["HCAL_ene"][1:]})
    with pytest.raises(InputError, match=r"branch 'ECAL_ene' holds \[2\]\[5\]\[6\] per event"):
        scorer.score(columns | {"ECAL_ene": arrays["ECAL_ene"][:, :, 1:]})
    with pytest.raises(InputError, match="branch 'run' is not an array of numbers"):
        scorer.score(columns | {"run": object()})
    with pytest.raises(InputError, match="cannot score int; give an EventBatch, an awkward array"):
        scorer.score(3)


def test_the_layout_is_checked_against_the_network(onnx_file: Path, arrays: ak.Array) -> None:
    with pytest.raises(ContractError, match="do not fit the network"):
        Scorer(onnx_file, layout="reco2018tree").score(arrays)
    with pytest.raises(ConfigError, match="no_such_layout"):
        Scorer(onnx_file, layout="no_such_layout").score(arrays)


def test_decisions(scorer: Scorer, expected: Scores) -> None:
    passed = scorer.passed(expected, "signal_90")
    np.testing.assert_array_equal(passed, expected.score > scorer.metadata.thresholds["signal_90"])
    with pytest.raises(ConfigError, match=r"no working point 'signal_42'; use one of .*signal_90"):
        scorer.passed(expected, "signal_42")


def test_scorers_can_be_sent_to_other_processes(scorer: Scorer, arrays: ak.Array, expected: Scores) -> None:
    assert_same(pickle.loads(pickle.dumps(scorer)).score(arrays), expected)


def test_threads_may_share_a_scorer_and_its_reader(onnx_file: Path, arrays: ak.Array, expected: Scores) -> None:
    shared = Scorer(onnx_file)
    starts = list(range(0, N, 10)) * 4
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda start: shared.score(arrays[start : start + 10]), starts))
    for start, scores in zip(starts, found, strict=True):
        np.testing.assert_allclose(scores.score, expected.score[start : start + 10], rtol=1e-5, atol=1e-5)


PEAK = """
import resource, sys
import uproot
from na64ml.inference import Scorer

with uproot.open(sys.argv[2]) as root:
    scores = Scorer(sys.argv[1]).score(root["tree"])
print(len(scores.score), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_a_tree(onnx_file: Path, write_file: object, tmp_path: Path) -> None:
    """Peak memory in kB; 35,000 more events of 55 hits are at least 50 MB, their scores are 2 MB."""
    peak = []
    for cycles in (2, 9):
        file = write_file(tmp_path / "events.root", np.arange(5000), cycles=cycles)
        command = [sys.executable, "-c", PEAK, str(onnx_file), str(file)]
        n_events, memory = map(int, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
        assert n_events == 5000 * cycles
        peak.append(memory)
    assert peak[1] - peak[0] < 25_000
