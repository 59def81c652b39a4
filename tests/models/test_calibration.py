import numpy as np
import pytest
from scipy.special import softmax

from na64ml.errors import InputError
from na64ml.models.calibration import cross_entropy, fit_temperature


@pytest.fixture
def logits() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 2, (20_000, 4))


@pytest.fixture
def label(logits: np.ndarray) -> np.ndarray:
    """Classes drawn from the probabilities, so that these are calibrated."""
    rng = np.random.default_rng(1)
    return (softmax(logits, axis=1).cumsum(axis=1) < rng.random((len(logits), 1))).sum(axis=1)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_the_temperature_that_was_put_in_is_found(logits: np.ndarray, label: np.ndarray, temperature: float) -> None:
    weight = np.ones(len(label))
    found = fit_temperature(logits * temperature, label, weight)
    assert found == pytest.approx(temperature, rel=0.03)
    assert cross_entropy(logits * temperature / found, label, weight) <= cross_entropy(
        logits * temperature, label, weight
    )


def test_events_count_by_their_weight(logits: np.ndarray, label: np.ndarray) -> None:
    wrong = np.arange(len(label)) % 2 == 0
    mixed = np.where(wrong[:, None], 3 * logits, logits)
    assert fit_temperature(mixed, label, np.where(wrong, 1e-9, 1.0)) == pytest.approx(1.0, rel=0.05)
    assert fit_temperature(mixed, label, np.where(wrong, 1.0, 1e-9)) == pytest.approx(3.0, rel=0.05)


def test_nothing_to_calibrate_with_is_an_error() -> None:
    with pytest.raises(InputError, match="0 were given"):
        fit_temperature(np.empty((0, 3)), np.empty(0, dtype=int), np.empty(0))
    with pytest.raises(InputError, match=r"finite|scored events"):
        fit_temperature(np.array([[np.nan, 0.0]]), np.array([0]), np.ones(1))
