import logging
from dataclasses import replace

import numpy as np
import pytest

from na64ml.errors import InputError
from na64ml.evaluation.rejection import rejection
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.working_points import working_point, working_points


def test_threshold_is_the_quantile_of_all_signal(scored: ScoredEvents) -> None:
    signal = scored.of_class("dark_photon")
    for point in working_points(scored, (0.5, 0.8, 0.95)):
        kept = np.count_nonzero(signal.score >= point.threshold)
        assert kept == np.ceil(point.target * len(signal))
        assert point.signal_efficiency.value == kept / len(signal)
        assert point.is_reached


def test_unscored_signal_is_lost(scored: ScoredEvents, caplog: pytest.LogCaptureFixture) -> None:
    signal = scored.of_class("dark_photon")
    lost = np.arange(len(signal)) < 0.1 * len(signal)
    signal = replace(
        signal,
        status=np.where(lost, 1, 0).astype(np.int8),
        score=np.where(lost, np.nan, np.arange(len(signal))),
    )
    with caplog.at_level(logging.WARNING):
        point = working_point(signal, 0.95)
    assert not point.is_reached
    assert point.signal_efficiency.value == pytest.approx(0.9)
    assert "0.95 not reached" in caplog.text


def test_weights_move_the_threshold(scored: ScoredEvents) -> None:
    signal = scored.select((scored.label == 0) & (scored.status == 0))
    middle = np.median(signal.score)
    heavy = replace(signal, weight=np.where(signal.score > middle, 9.0, 1.0))
    assert working_point(heavy, 0.8).threshold > working_point(signal, 0.5).threshold


def test_signal_without_scores_is_refused(scored: ScoredEvents) -> None:
    with pytest.raises(InputError, match="finite score"):
        working_points(scored.select((scored.label > 0) | (scored.status != 0)))


def test_unscored_background_survives(scored: ScoredEvents) -> None:
    background = scored.of_class("dimuon")
    empty = np.count_nonzero(background.status)
    assert empty > 0
    found = rejection(background, 1e6)
    assert found.background_efficiency.survivors == empty
    assert found.value == pytest.approx(len(background) / empty)
    assert not found.is_limit
    assert found.hi is not None
    assert found.lo < found.value < found.hi


def test_no_survivors_give_a_lower_limit(scored: ScoredEvents) -> None:
    background = scored.select((scored.label == 4) & (scored.status == 0))
    found = rejection(background, 1e6)
    assert found.is_limit
    assert found.value == found.lo == pytest.approx(1 / (1 - 0.1 ** (1 / len(background))))
    assert found.hi is None
