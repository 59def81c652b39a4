import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest

from na64ml.selection.intervals import (
    clopper_pearson,
    lower_limit,
    upper_limit,
    zero_survivor_limit,
    zero_survivor_yield,
)


@pytest.mark.parametrize("n", [1, 10, 1000, 10**7])
def test_zero_of_n_is_the_closed_form(n: int) -> None:
    assert upper_limit(0, n, 0.90) == pytest.approx(-np.expm1(np.log(0.1) / n), rel=1e-9)
    assert lower_limit(n, n, 0.90) == pytest.approx(0.1 ** (1 / n), rel=1e-9)


@pytest.mark.parametrize(("k", "n"), [(0, 20), (1, 20), (7, 20), (19, 20), (20, 20), (3, 5000)])
@pytest.mark.parametrize("cl", [0.68, 0.90, 0.95])
def test_two_sided_agrees_with_scipy(k: int, n: int, cl: float) -> None:
    expected = binomtest(k, n).proportion_ci(cl, method="exact")
    lo, hi = clopper_pearson(k, n, cl)
    assert (lo, hi) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_one_sided_agrees_with_scipy() -> None:
    expected = binomtest(4, 50, alternative="less").proportion_ci(0.90, method="exact")
    assert upper_limit(4, 50, 0.90) == pytest.approx(expected.high, abs=1e-9)


def test_coverage_is_at_least_the_confidence_level() -> None:
    rng = np.random.default_rng(3)
    for truth in (0.01, 0.1, 0.5):
        lo, hi = clopper_pearson(rng.binomial(50, truth, 20_000), 50, 0.90)
        assert np.mean((lo <= truth) & (truth <= hi)) >= 0.895


def sums(weight: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(weight.sum()), float(weight @ weight), float(weight.max())


def test_zero_survivors_with_equal_weights_is_clopper_pearson() -> None:
    assert zero_survivor_limit(*sums(np.full(100, 0.3))) == pytest.approx(1 - 0.1**0.01)


def test_zero_survivors_with_weights_is_set_by_the_largest_weight() -> None:
    weight = np.append(np.full(1000, 4e-5), np.full(375, 2.0))
    assert zero_survivor_limit(*sums(weight)) == pytest.approx(np.log(10) * 2.0 / weight.sum())
    assert zero_survivor_limit(*sums(np.array([1e-3, 1.0]))) == 1.0


def test_no_survivor_is_a_yield_of_two_point_three_events_of_the_largest_weight() -> None:
    assert zero_survivor_yield(4.0) == pytest.approx(4 * 2.302585, rel=1e-6)
