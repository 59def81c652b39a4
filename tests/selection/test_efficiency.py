import numpy as np
import pytest

from na64ml.errors import InputError
from na64ml.selection.efficiency import efficiency
from na64ml.selection.intervals import clopper_pearson


@pytest.mark.parametrize("k", [1, 3, 50, 99, 100])
@pytest.mark.parametrize("weight", [1.0, 0.2])
def test_equal_weights_reduce_to_clopper_pearson(k: int, weight: float) -> None:
    found = efficiency(np.arange(100) < k, np.full(100, weight))
    expected = [k / 100, *map(float, clopper_pearson(k, 100))]
    assert [found.value, found.lo, found.hi] == pytest.approx(expected)
    assert (found.survivors, found.total, found.is_limit) == (k, 100, False)


def test_zero_survivors_are_a_one_sided_limit() -> None:
    found = efficiency(np.zeros(50, bool), np.ones(50))
    assert found.is_limit
    assert (found.value, found.lo, found.hi) == pytest.approx((0.0, 0.0, 1 - 0.1 ** (1 / 50)))


def test_a_light_survivor_does_not_improve_on_none() -> None:
    weight = np.append(np.full(375, 4e-5), np.full(375, 2.0))
    none = efficiency(np.zeros(750, bool), weight)
    light = efficiency(np.arange(750) < 160, weight)
    assert light.value == pytest.approx(160 * 4e-5 / weight.sum())
    assert light.hi > none.hi
    assert light.lo == 0.0


def test_a_heavy_survivor_counts_once() -> None:
    weight = np.append(np.full(1000, 1.0), np.full(10, 100.0))
    found = efficiency(np.arange(1010) == 1009, weight)
    assert found.value == pytest.approx(0.05)
    assert found.lo < 0.05 * 0.1
    assert found.hi > 0.05 * 3.5


def test_events_of_one_shower_count_once() -> None:
    shower = np.repeat(np.arange(40), 25)
    passed = shower == 7
    by_event = efficiency(passed, np.ones(1000))
    by_shower = efficiency(passed, np.ones(1000), shower)
    assert (by_shower.survivors, by_shower.total) == (1, 40)
    assert by_shower.value == by_event.value == 1 / 40
    assert (by_shower.lo, by_shower.hi) == pytest.approx([float(x) for x in clopper_pearson(1, 40)])
    assert efficiency(np.zeros(1000, bool), np.ones(1000), shower).hi == pytest.approx(1 - 0.1 ** (1 / 40))


def test_coverage_with_weights() -> None:
    rng = np.random.default_rng(5)
    truth, covered, toys = 0.1, 0, 400
    for _ in range(toys):
        weight = rng.choice([0.2, 1.0, 3.0], 200)
        found = efficiency(rng.random(200) < truth, weight)
        covered += found.lo <= truth <= found.hi
    assert covered / toys > 0.87


def test_weightless_events_are_refused() -> None:
    with pytest.raises(InputError, match="positive weight"):
        efficiency(np.zeros(3, bool), np.zeros(3))


def test_events_without_a_shower_are_their_own_trials():
    passed, weight = np.array([True, False, True, True, False]), np.ones(5)
    mixed = efficiency(passed, weight, np.array([-1, -1, 3, 3, -1]))
    assert (mixed.survivors, mixed.total) == (2, 4)
    alone = efficiency(passed, weight, np.full(5, -1))
    assert alone == efficiency(passed, weight)
