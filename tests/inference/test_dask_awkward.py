"""Lazy columns of dask-awkward, beside the scorer on all events at once; the example of the documentation."""

import re
import runpy
import shutil
from pathlib import Path

import awkward as ak
import dask
import dask_awkward
import numpy as np
import pytest
import uproot

from na64ml.errors import InputError
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.inference import Scorer
from na64ml.inference.dask_columns import dask_columns
from na64ml.resources import shipped

PAGE = Path(__file__).parents[2] / "docs" / "plugins.md"
FILE = shipped("datasets") / "na64e_reference_b.root"


@pytest.fixture(scope="module")
def events(reader: EventReader) -> EventBatch:
    return reader.read(FILE)


def test_the_example_of_the_page_selects_what_the_scorer_selects(
    onnx_file: Path, events: EventBatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (example,) = [
        text
        for text in re.findall(r"^```python run\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
        if "dask_columns" in text
    ]
    (tmp_path / "demo").mkdir()
    shutil.copy(onnx_file, tmp_path / "demo" / "model.onnx")
    (tmp_path / "example.py").write_text(example)
    monkeypatch.chdir(tmp_path)
    found = runpy.run_path("example.py")["kept"]

    scorer = Scorer(onnx_file)
    scores = scorer.score(events)
    passed = scorer.passed(scores, "signal_90")
    assert 0 < passed.sum() < len(events)
    ids = np.stack([ak.to_numpy(found[name]) for name in ("run", "spill", "spillevent")], axis=1)
    np.testing.assert_array_equal(ids, events.ids[passed])
    np.testing.assert_allclose(found["score"], scores.score[passed], rtol=1e-6, atol=1e-5)


def test_columns_are_aligned_and_read_no_more_than_they_need(onnx_file: Path, events: EventBatch) -> None:
    scorer = Scorer(onnx_file)
    tree = uproot.dask({str(FILE): "tree"}, steps_per_file=5)
    columns = dask_columns(scorer, tree)
    assert columns.npartitions == tree.npartitions == 5
    assert columns.fields == list(scorer.columns(events.select(slice(0, 0))))
    (read,) = dask_awkward.necessary_columns(columns["status"]).values()
    assert "ECAL_ene" in read
    assert "nMM5X" not in read
    with dask.config.set(scheduler="processes", num_workers=1):  # the scorer is pickled
        found = columns.partitions[1].compute()
    start, stop = tree.divisions[1:3]
    expected = scorer.columns(events.select(slice(start, stop)))
    for name, values in expected.items():
        assert ak.to_numpy(found[name]).dtype == values.dtype
        np.testing.assert_allclose(found[name], values, rtol=1e-6, atol=1e-5)


def test_a_missing_branch_is_named_before_anything_is_read(onnx_file: Path) -> None:
    tree = uproot.dask({str(FILE): "tree"})
    without = tree[[name for name in tree.fields if name != "HCAL_ene"]]
    with pytest.raises(InputError, match=r"branch 'HCAL_ene' .* is missing"):
        dask_columns(Scorer(onnx_file), without)
