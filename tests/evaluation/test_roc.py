from dataclasses import replace

import numpy as np
import pytest

from na64ml.evaluation.bootstrap import bootstrap_interval, resamples
from na64ml.evaluation.roc import auc, auc_with_interval, roc_curves
from na64ml.evaluation.scored import ScoredEvents


def test_auc_is_the_share_of_won_pairs(scored: ScoredEvents) -> None:
    events = replace(scored, score=np.round(scored.score))  # ties
    decision, label = events.decision_score, events.label
    signal, other = decision[label == 0, None], decision[None, label == 3]
    weight = events.weight[label == 3] * np.ones(signal.shape)
    won = (signal > other) + 0.5 * (signal == other)
    assert auc(events, "decay_in_flight")(np.ones(len(events))) == pytest.approx(np.average(won, weights=weight))


def test_auc_interval_contains_the_value_and_is_reproducible(scored: ScoredEvents) -> None:
    value, lo, hi = auc_with_interval(scored, "electroproduction", seed=4)
    assert lo < value < hi < 1.0
    assert (value, lo, hi) == auc_with_interval(scored, "electroproduction", seed=4)
    assert (lo, hi) != auc_with_interval(scored, "electroproduction", seed=5)[1:]


def test_a_useless_score_has_the_diagonal_roc(scored: ScoredEvents) -> None:
    rng = np.random.default_rng(0)
    useless = replace(scored, score=np.where(scored.status == 0, rng.normal(size=len(scored)), np.nan))
    useless = useless.select(useless.status == 0)
    curve = roc_curves(useless)[0]
    inside = [
        item.background_efficiency.lo <= reached <= item.background_efficiency.hi
        for reached, item in zip(curve.signal_efficiency, curve.rejection, strict=True)
    ]
    assert np.mean(inside) > 0.7


def test_rejection_falls_with_signal_efficiency(scored: ScoredEvents) -> None:
    curves = roc_curves(scored)
    assert [curve.background for curve in curves] == list(scored.backgrounds)
    for curve in curves:
        assert np.all(np.diff(curve.signal_efficiency) > 0)
        assert np.all(np.diff([item.background_efficiency.value for item in curve.rejection]) >= 0)


def test_groups_are_resampled_whole() -> None:
    group = np.repeat([7, 3, 5], [2, 1, 4])
    for counts in resamples(7, 20, seed=1, group=group):
        assert len(set(counts[:2])) == len(set(counts[3:])) == 1
        assert counts[0] + counts[2] + counts[3] == 3


def test_bootstrap_interval_of_a_mean_is_the_normal_one() -> None:
    values = np.random.default_rng(2).normal(0.0, 1.0, 1000)
    lo, hi = bootstrap_interval(lambda counts: float(np.average(values, weights=counts)), 1000, n_resamples=2000)
    assert (lo + hi) / 2 == pytest.approx(values.mean(), abs=0.005)
    assert (hi - lo) / 2 == pytest.approx(1.645 / np.sqrt(1000), rel=0.06)


def test_correlated_groups_widen_the_interval() -> None:
    group = np.repeat(np.arange(50), 20)
    values = np.random.default_rng(2).normal(0.0, 1.0, 50)[group]

    def mean(counts: np.ndarray) -> float:
        return float(np.average(values, weights=counts))

    lo, hi = bootstrap_interval(mean, 1000)
    group_lo, group_hi = bootstrap_interval(mean, 1000, group=group)
    assert group_hi - group_lo > 3 * (hi - lo)


def test_negative_groups_are_single_events() -> None:
    group = np.array([-1, -1, 4, 4, -1])
    drawn = np.array(list(resamples(5, 50, seed=1, group=group)))
    assert np.all(drawn[:, 2] == drawn[:, 3])
    assert not np.all(drawn[:, 0] == drawn[:, 1])
    assert np.all(drawn[:, [0, 1, 2, 4]].sum(axis=1) == 4)
