import numpy as np
import pytest

from na64ml.errors import InputError
from na64ml.evaluation.survivors import efficiency_at_survivors, efficiency_at_survivors_interval

SIGNAL = np.array([9.0, 7.0, 5.0, 3.0, np.nan])
BACKGROUND = np.array([8.0, 6.0, 4.0, 2.0])
ALL = np.ones(5, bool)


@pytest.mark.parametrize(("survivors", "expected"), [(0, 1 / 5), (1, 2 / 5), (3, 4 / 5), (4, 4 / 5)])
def test_loosest_threshold(survivors: int, expected: float) -> None:
    value, threshold = efficiency_at_survivors(SIGNAL, ALL, BACKGROUND, np.ones(4, bool), survivors)
    assert value == expected
    assert np.count_nonzero(threshold <= BACKGROUND) == survivors


def test_events_outside_the_cuts_do_not_count() -> None:
    value, threshold = efficiency_at_survivors(SIGNAL, SIGNAL < 8, BACKGROUND, BACKGROUND < 5, 0)
    assert value == 2 / 5
    assert threshold == np.nextafter(4.0, 5.0)


def test_without_survivors_of_the_cuts_no_threshold_is_needed() -> None:
    value, threshold = efficiency_at_survivors(SIGNAL[:4], ALL[:4], BACKGROUND, np.zeros(4, bool), 0)
    assert (value, threshold) == (1.0, -np.inf)


def test_ties_never_exceed_the_number_of_survivors() -> None:
    tied = np.array([6.0, 6.0, 6.0, 1.0])
    _, threshold = efficiency_at_survivors(SIGNAL, ALL, tied, np.ones(4, bool), 2)
    assert np.count_nonzero(tied >= threshold) == 0


def test_unscored_background_survives_every_threshold() -> None:
    unscored = np.array([np.nan, 4.0])
    assert efficiency_at_survivors(SIGNAL, ALL, unscored, np.ones(2, bool), 0) == (0.0, np.inf)
    assert efficiency_at_survivors(SIGNAL, ALL, unscored, np.ones(2, bool), 1)[0] == 3 / 5


def test_interval_covers_the_value() -> None:
    rng = np.random.default_rng(1)
    arguments = (
        rng.normal(3, 1, 500),
        rng.random(500) < 0.8,
        rng.normal(0, 1, 800),
        rng.random(800) < 0.5,
        5,
    )
    point = efficiency_at_survivors_interval(*arguments, n_resamples=200)
    assert (point.efficiency, point.threshold) == efficiency_at_survivors(*arguments)
    assert point.lo < point.efficiency < point.hi < 0.85
    assert point == efficiency_at_survivors_interval(*arguments, n_resamples=200)


def test_no_signal_is_refused() -> None:
    with pytest.raises(InputError, match="0 signal events"):
        efficiency_at_survivors(SIGNAL[:0], ALL[:0], BACKGROUND, np.ones(4, bool), 0)


def test_events_of_one_shower_widen_the_interval() -> None:
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(10), 50)
    signal = rng.normal(3, 1, 10)[group] + rng.normal(0, 0.2, 500)
    arguments = (signal, np.ones(500, bool), rng.normal(0, 1, 800), np.ones(800, bool), 5)
    plain = efficiency_at_survivors_interval(*arguments, n_resamples=200)
    grouped = efficiency_at_survivors_interval(*arguments, signal_group=group, n_resamples=200)
    assert grouped.efficiency == plain.efficiency
    assert grouped.hi - grouped.lo > 2 * (plain.hi - plain.lo)
