from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from na64ml.errors import InputError
from na64ml.evaluation.scored import STATUS, ScoredEvents
from na64ml.inference.status import BAD_INPUT, BLINDED, NO_CALORIMETER_HITS, SCORED, STATUS_NAMES, TRUNCATED


@pytest.mark.parametrize("with_group", [False, True])
def test_written_events_read_back(scored: ScoredEvents, tmp_path: Path, with_group: bool) -> None:
    events = replace(scored, group=np.arange(len(scored)) // 3) if with_group else scored
    events.write(tmp_path / "scored.npz")
    back = ScoredEvents.read(tmp_path / "scored.npz")
    assert back.classes == events.classes
    for item in fields(ScoredEvents)[1:]:
        written, found = getattr(events, item.name), getattr(back, item.name)
        if written is None:
            assert found is None
        else:
            np.testing.assert_array_equal(found, written)
            assert found.dtype == written.dtype


def test_unscored_signal_is_lost_and_unscored_background_survives(scored: ScoredEvents) -> None:
    unscored = scored.status != 0
    assert unscored.any()
    decision = scored.decision_score
    assert np.all(decision[unscored & (scored.label == 0)] == -np.inf)
    assert np.all(decision[unscored & (scored.label > 0)] == np.inf)
    np.testing.assert_array_equal(decision[~unscored], scored.score[~unscored])


def test_masses_and_classes(scored: ScoredEvents) -> None:
    np.testing.assert_array_equal(scored.masses, [0.001, 0.01, 0.1, 1.0])
    assert sum(len(scored.of_mass(mass)) for mass in scored.masses) == len(scored.of_class("dark_photon"))
    assert scored.select(scored.label != 2).backgrounds == tuple(
        name for name in scored.classes[1:] if name != "neutral_punch_through"
    )


def test_wrong_columns_are_named(scored: ScoredEvents) -> None:
    with pytest.raises(InputError, match="'weight'"):
        replace(scored, weight=scored.weight[:-1])
    for name, value in {"weight": -1.0, "label": 99, "status": 9}.items():
        column = getattr(scored, name).copy()
        column[5] = value
        with pytest.raises(InputError, match=f"{name} is {value}"):
            replace(scored, **{name: column})


def test_events_with_truth_are_never_blinded(scored: ScoredEvents) -> None:
    assert len(STATUS) == BLINDED
    assert list(STATUS) == [STATUS_NAMES[value] for value in (SCORED, NO_CALORIMETER_HITS, TRUNCATED, BAD_INPUT)]
    status = scored.status.copy()
    status[int(np.argmax(status != SCORED))] = BLINDED
    with pytest.raises(InputError, match="status is 4"):
        replace(scored, status=status)


def test_a_score_needs_status_zero(scored: ScoredEvents) -> None:
    with pytest.raises(InputError, match="NaN elsewhere"):
        replace(scored, score=np.zeros(len(scored)))


def test_a_file_that_is_not_scored_events_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.npz"):
        ScoredEvents.read(tmp_path / "missing.npz")
    np.savez(tmp_path / "other.npz", classes=np.array(["a"]))
    with pytest.raises(InputError, match="no column label"):
        ScoredEvents.read(tmp_path / "other.npz")
