import numpy as np
import pytest
import torch

from na64ml.training.losses import event_losses


@pytest.fixture
def logits() -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).normal(0, 3, (200, 5)))


@pytest.fixture
def label() -> torch.Tensor:
    return torch.arange(200) % 5


def test_without_focus_it_is_the_cross_entropy(logits: torch.Tensor, label: torch.Tensor) -> None:
    p = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(axis=1, keepdims=True)
    expected = -np.log(p[np.arange(200), label.numpy()])
    np.testing.assert_allclose(event_losses(logits, label).numpy(), expected, rtol=1e-10)


def test_the_focal_loss_counts_easy_events_less(logits: torch.Tensor, label: torch.Tensor) -> None:
    plain, focal = event_losses(logits, label), event_losses(logits, label, focal=2.0)
    p = torch.exp(-plain)
    np.testing.assert_allclose(focal.numpy(), (plain * (1 - p) ** 2).numpy(), rtol=1e-10)
    easy, hard = p > 0.9, p < 0.1
    assert easy.sum() > 2
    assert hard.sum() > 2
    assert (focal / plain)[easy].max() < 0.02
    assert (focal / plain)[hard].min() > 0.8


def test_label_smoothing_asks_for_less_certainty(label: torch.Tensor) -> None:
    certain = torch.nn.functional.one_hot(label, 5).double() * 20
    assert event_losses(certain, label).max() < 1e-6
    assert event_losses(certain, label, label_smoothing=0.1).min() > 1
