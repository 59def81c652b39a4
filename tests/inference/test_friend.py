"""The friend tree and its columns."""

from pathlib import Path

import numpy as np
import pytest
import uproot

from na64ml.inference.friend import blind, friend_columns, write_friend
from na64ml.inference.scorer import Scores
from na64ml.inference.status import BLINDED


@pytest.fixture
def scores() -> Scores:
    generator = np.random.default_rng(1)
    logits = generator.normal(size=(90, 2)).astype(np.float32)
    return Scores(logits, logits + 1, logits[:, 0] - logits[:, 1], np.zeros(90, dtype=np.int8))


def test_blinding_leaves_nothing_to_recover(scores: Scores) -> None:
    hidden = np.zeros(90, dtype=bool)
    hidden[5] = True
    blinded = blind(scores, hidden)
    assert np.isnan(blinded.logits[5]).all()
    assert np.isnan(blinded.probability[5]).all()
    assert np.isnan(blinded.score[5])
    assert blinded.status[5] == BLINDED
    np.testing.assert_array_equal(blinded.score[6:], scores.score[6:])


@pytest.mark.parametrize(("kind", "class_name"), [("ttree", "TTree"), ("rntuple", "ROOT::RNTuple")])
def test_both_kinds_of_tree_hold_the_same(scores: Scores, tmp_path: Path, kind: str, class_name: str) -> None:
    ids = np.arange(270).reshape(90, 3)
    columns = friend_columns(ids, scores, ("signal", "noise"))
    path = tmp_path / "friend.root"
    with write_friend(path, ("signal", "noise"), kind, {"provenance": "here"}) as tree:
        for start in (0, 40):
            tree.extend({name: values[start : start + 40 if start == 0 else None] for name, values in columns.items()})
    with uproot.open(path) as root:
        assert root.classnames(cycle=False) == {"scores": class_name, "provenance": "TObjString"}
        found = root["scores"].arrays(library="np")
        assert list(found) == ["run", "spill", "spillevent", "p_signal", "p_noise", "score", "status"]
        for name, values in columns.items():
            np.testing.assert_array_equal(found[name], values)
            assert found[name].dtype == values.dtype
