from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from na64ml.events.batch import EventBatch
from na64ml.graphs.batch import PackedBatch
from na64ml.models.inputs import NetworkInputs
from na64ml.training.decorrelation import Decorrelation, distance_correlation

Pack = Callable[[EventBatch], PackedBatch]


def expected_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """The definition, with explicit sums."""
    n = len(x)
    centred = []
    for values in (x, y):
        d = np.abs(values[:, None] - values[None, :])
        centred.append(d - d.sum(axis=0) / n - (d.sum(axis=1) / n)[:, None] + d.sum() / n**2)
    a, b = centred
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


@pytest.fixture
def x() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).normal(0, 1, 400))


def test_distance_correlation_is_that_of_the_definition(x: torch.Tensor) -> None:
    rng = np.random.default_rng(1)
    for y in (x**2, x + torch.from_numpy(rng.normal(0, 1, 400)), torch.from_numpy(rng.normal(0, 1, 400))):
        found = distance_correlation(x, y, torch.ones(400, dtype=torch.float64))
        assert float(found) == pytest.approx(expected_correlation(x.numpy(), y.numpy()), rel=1e-5, abs=1e-6)
    assert float(distance_correlation(x, -3 * x + 7, torch.ones(400, dtype=torch.float64))) == pytest.approx(
        1, rel=1e-5
    )
    independent = torch.from_numpy(np.random.default_rng(9).normal(0, 1, 400))
    assert float(distance_correlation(x, independent, torch.ones(400, dtype=torch.float64))) < 0.02
    assert (
        float(distance_correlation(x, x**2, torch.ones(400, dtype=torch.float64))) > 0.15
    )  # no linear correlation, but dependent


def test_a_weight_counts_like_repeated_events(x: torch.Tensor) -> None:
    y = torch.sin(2 * x)
    weight = torch.ones(400, dtype=torch.float64)
    weight[:100] = 3.0
    twice = torch.cat([torch.arange(400), torch.arange(100), torch.arange(100)])
    repeated = distance_correlation(x[twice], y[twice], torch.ones(600, dtype=torch.float64))
    torch.testing.assert_close(distance_correlation(x, y, weight), repeated, rtol=1e-4, atol=1e-6)


@pytest.fixture
def batch(few_events: EventBatch, packed: Pack) -> PackedBatch:
    made = packed(few_events)
    return replace(made, label=torch.arange(made.n_events) % 2)


def ecal_energy(batch: PackedBatch, inputs: NetworkInputs) -> torch.Tensor:
    own = (batch.detector == inputs.detector_names.index("ECAL")).float() * batch.hits[:, 3]
    return torch.zeros(batch.n_events).scatter_add(0, batch.event, own)


def test_the_penalty_is_that_of_one_class_in_one_detector(batch: PackedBatch, inputs: NetworkInputs) -> None:
    torch.manual_seed(0)
    energy, signal = ecal_energy(batch, inputs), batch.label == 0
    score = torch.where(signal, -energy, torch.randn(batch.n_events))
    assert float(Decorrelation(strength=2.0)(score, batch, inputs)) == pytest.approx(2, rel=1e-3)
    other = Decorrelation(of_class=inputs.classes[1])(score, batch, inputs)
    assert float(other) < 0.3
    assert float(Decorrelation(detector="HCAL")(score, batch, inputs)) < 0.9
    none = replace(batch, label=torch.ones_like(batch.label))
    assert float(Decorrelation()(score, none, inputs)) == 0


def test_following_the_gradient_removes_the_dependence(batch: PackedBatch, inputs: NetworkInputs) -> None:
    energy = ecal_energy(batch, inputs)
    slope = torch.tensor(0.1, requires_grad=True)
    own = torch.from_numpy(np.random.default_rng(4).normal(0, 1, batch.n_events)).float()
    optimizer = torch.optim.Adam([slope], lr=0.005)
    before = float(Decorrelation()(slope * energy + own, batch, inputs).detach())
    for _ in range(60):
        optimizer.zero_grad()
        Decorrelation()(slope * energy + own, batch, inputs).backward()
        optimizer.step()
    after = float(Decorrelation()(slope * energy + own, batch, inputs).detach())
    assert before > 0.5
    assert after < 0.2 * before
