import numpy as np
import pytest
import torch

from na64ml.selection.intervals import clopper_pearson
from na64ml.training.rejection_metric import RejectionMetric


def measured(
    score: np.ndarray, is_signal: np.ndarray, weight: np.ndarray | None = None, efficiency: float = 0.9
) -> float:
    metric = RejectionMetric(efficiency)
    weights = torch.ones(len(score)) if weight is None else torch.from_numpy(weight).float()
    for part in np.array_split(np.arange(len(score)), 3):
        metric.update(torch.from_numpy(score[part]), torch.from_numpy(is_signal[part]), weights[part])
    return float(metric.compute())


def test_it_is_the_lower_end_of_the_interval_at_the_working_point() -> None:
    score = np.concatenate([np.arange(10.0), np.linspace(-100, 4.5, 400)])
    is_signal = np.arange(410) < 10
    # 90 % of the signal is at or above 1; so many backgrounds are too:
    survivors = int((score[10:] >= 1).sum())
    assert 5 < survivors < 20
    upper = clopper_pearson(survivors, 400)[1]
    assert measured(score, is_signal) == pytest.approx(1 / upper, rel=1e-5)


def test_no_survivor_is_a_limit_that_grows_with_the_sample() -> None:
    found = []
    for n in (100, 1000):
        score = np.concatenate([np.full(50, 5.0), np.full(n, -5.0)])
        found.append(measured(score, np.arange(50 + n) < 50))
    assert np.isfinite(found).all()
    assert found[1] / found[0] == pytest.approx(10, rel=0.02)


def test_heavy_survivors_count_more_and_nothing_is_1() -> None:
    score, is_signal = np.array([1.0] * 10 + [2.0] + [0.0] * 99), np.arange(110) < 10
    heavy = np.ones(110)
    heavy[10] = 20
    assert measured(score, is_signal, heavy) < 0.5 * measured(score, is_signal)
    assert measured(score, np.ones(110, dtype=bool)) == 1
    assert measured(score, np.zeros(110, dtype=bool)) == 1
