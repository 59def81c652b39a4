"""Limits on signal events: textbook values, combinations, uncertainties, and the refusal of asymptotics."""

import numpy as np
import pyhf
import pytest
from scipy.stats import poisson

from na64ml.errors import ConfigError
from na64ml.limits.statistics import limit as module
from na64ml.limits.statistics.counting import Channel, workspace
from na64ml.limits.statistics.exact import ExactCounting
from na64ml.limits.statistics.limit import discovery, strength_limit


def one(background: float, observed: int | None, error: float = 0.0, signal: float = 1.0) -> Channel:
    return Channel("one", signal, background, error, observed)


@pytest.mark.parametrize("background", [0.0, 0.51, 3.0])
def test_no_event_excludes_2_30_signal_events_whatever_the_background(background: float) -> None:
    assert strength_limit((one(background, 0),)).observed == pytest.approx(2.3026, abs=1e-3)


@pytest.mark.parametrize(("observed", "expected"), [(1, 3.890), (2, 5.322), (3, 6.681)])
def test_without_background_the_limits_are_classical(observed: int, expected: float) -> None:
    assert strength_limit((one(0.0, observed),)).observed == pytest.approx(expected, abs=2e-3)


def test_the_limit_is_where_cls_is_0_10() -> None:
    found = strength_limit((one(2.0, 3),)).observed
    assert found is not None
    assert poisson.cdf(3, 2.0 + found) / poisson.cdf(3, 2.0) == pytest.approx(0.10, abs=1e-4)


def test_strength_scales_with_the_signal() -> None:
    assert strength_limit((one(0.5, 0, signal=4.0),)).observed == pytest.approx(2.3026 / 4, abs=1e-3)


def test_splitting_a_period_changes_nothing() -> None:
    whole = strength_limit((one(0.6, 1),))
    halves = strength_limit((Channel("a", 0.5, 0.3, 0.0, 1), Channel("b", 0.5, 0.3, 0.0, 0)))
    assert halves.observed == pytest.approx(whole.observed, rel=1e-3)


def test_a_clean_period_weighs_more() -> None:
    clean = strength_limit((Channel("a", 0.5, 0.01, 0.0, 1), Channel("b", 0.5, 2.0, 0.0, 0)))
    dirty = strength_limit((Channel("a", 0.5, 0.01, 0.0, 0), Channel("b", 0.5, 2.0, 0.0, 1)))
    assert clean.observed > dirty.observed * 1.1  # type: ignore[operator]


def test_uncertainties_weaken_the_limit() -> None:
    sharp = strength_limit((one(0.5, 0),)).observed
    signal = strength_limit((one(0.5, 0),), yield_error=0.3).observed
    efficiency = strength_limit((Channel("one", 1.0, 0.5, 0.0, 0, efficiency_error=0.3),)).observed
    background = strength_limit((one(2.0, 4, 1.5),)).observed
    assert signal > sharp * 1.01  # type: ignore[operator]
    assert efficiency == pytest.approx(signal, rel=0.02)
    assert background > strength_limit((one(2.0, 4),)).observed  # type: ignore[operator]


def test_a_background_that_is_only_bounded_is_no_obstacle() -> None:
    found = strength_limit((one(0.0, 0, 0.5),))
    assert found.observed == pytest.approx(2.3026, abs=1e-3)
    assert found.expected[4] > found.expected[2]


def test_expected_band_is_made_of_the_possible_outcomes() -> None:
    found = strength_limit((one(0.51, None),))
    assert found.observed is None
    assert found.expected[2] == pytest.approx(2.3026, abs=1e-3)  # P(0) = 0.60
    assert found.expected[3] == pytest.approx(strength_limit((one(0.51, 1),)).observed, rel=1e-4)


def test_asymptotic_formulas_are_refused_for_few_events_and_would_be_wrong() -> None:
    with pytest.raises(ConfigError, match="asymptotic"):
        strength_limit((one(0.51, 0),), method="asymptotic")
    model = pyhf.Model(workspace((one(0.51, 0),), 0.0), poi_name="mu")
    wrong, _ = pyhf.infer.intervals.upper_limits.toms748_scan([0.0], model, 0.0, 10.0, level=0.1, rtol=1e-3)
    assert 1.3 < float(wrong) < 1.7


def test_asymptotic_and_exact_agree_for_many_events() -> None:
    exact = strength_limit((one(9.9, 10),))
    asymptotic = strength_limit((one(10.1, 10),))
    assert "exact" in exact.method
    assert "asymptotic" in asymptotic.method
    assert asymptotic.observed == pytest.approx(exact.observed, rel=0.12)  # counts are discrete


def test_toys_agree_with_enumeration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "N_TOYS", 300)
    channels = (one(0.5, 0),)
    model, data = module._model(channels, 0.0)
    value = module._toy_cls(module._bounded(model, 20.0), data, 2.3026)[0]
    assert value == pytest.approx(0.10, abs=0.06)


def test_discovery() -> None:
    p_value, significance = discovery((one(0.5, 4),))
    assert p_value == pytest.approx(poisson.sf(3, 0.5), rel=1e-3)
    assert significance == pytest.approx(2.9, abs=0.1)
    assert discovery((one(0.5, 0),))[0] == pytest.approx(1.0)
    with pytest.raises(ConfigError, match="observed"):
        discovery((one(0.5, None),))


def test_probabilities_sum_to_one() -> None:
    experiment = ExactCounting.of((Channel("a", 0.5, 0.3, 0.1, 0), Channel("b", 0.5, 1.0, 0.3, 0)), 0.15)
    outcomes = experiment._outcomes(2.0, np.zeros(2))
    assert experiment._probability(outcomes, 2.0).sum() == pytest.approx(1.0, abs=1e-4)


def test_too_many_outcomes_are_refused() -> None:
    channels = tuple(Channel(f"p{i}", 1.0, 1.0, 0.0, 0) for i in range(8))
    with pytest.raises(ConfigError, match="outcomes"):
        strength_limit(channels)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"signal": -1.0}, "signal"),
        ({"background": float("nan")}, "background"),
        ({"observed": -1}, "observed"),
    ],
)
def test_wrong_channels(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Channel(**({"name": "one", "signal": 1.0, "background": 0.5} | changes))  # type: ignore[arg-type]


def test_no_signal_is_no_limit() -> None:
    with pytest.raises(ConfigError, match="no signal"):
        strength_limit((one(0.5, 0, signal=0.0),))


def test_counts_of_some_periods_only() -> None:
    with pytest.raises(ConfigError, match="'observed' is missing"):
        strength_limit((Channel("a", 1.0, 0.1, 0.0, 0), Channel("b", 1.0, 0.1, 0.0, None)))


def test_a_fit_that_does_not_converge(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise pyhf.exceptions.FailedMinimization(type("Result", (), {"message": "edm too large"})())

    monkeypatch.setattr(pyhf.infer.intervals.upper_limits, "toms748_scan", fails)
    with pytest.raises(ConfigError, match="did not converge"):
        strength_limit((one(20.0, 20, 2.0),))
