import numpy as np
import pytest

from na64ml.evaluation.scored import ScoredEvents

CLASSES = (
    "dark_photon",
    "electroproduction",
    "neutral_punch_through",
    "decay_in_flight",
    "dimuon",
    "beam_electron",
    "beam_hadron",
)
SEPARATION = (0.0, 5.0, 9.0, 2.0, 14.0, 10.0, 8.0)
MASSES = (0.001, 0.01, 0.1, 1.0)


def toy_events(n_per_class: int = 400, seed: int = 1, unscored: float = 0.01) -> ScoredEvents:
    """Scores, energies and masses that look like those of the reference detector."""
    rng = np.random.default_rng(seed)
    n_classes, n = len(CLASSES), len(CLASSES) * n_per_class
    label = np.repeat(np.arange(n_classes), n_per_class).astype(np.int16)
    score = rng.normal(6.0, 2.0, n) - np.array(SEPARATION)[label] * rng.gamma(4.0, 0.25, n)
    logits = rng.normal(0.0, 1.0, (n, n_classes))
    logits[np.arange(n), label] += 4.0
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    status = np.where(rng.random(n) < unscored, 1, 0).astype(np.int8)
    ecal = np.choose(
        label,
        [
            rng.uniform(1, 85, n),
            rng.uniform(5, 60, n),
            rng.uniform(5, 60, n),
            rng.uniform(5, 95, n),
            100 - rng.uniform(10, 95, n),
            rng.normal(98, 3, n),
            rng.gamma(2, 15, n) + 0.6,
        ],
    )
    hcal = np.choose(
        label,
        [
            rng.exponential(0.1, n),
            rng.exponential(12, n),
            np.maximum(0, 100 - ecal + rng.normal(0, 7, n)),
            rng.exponential(1, n),
            rng.normal(16.8, 1.4, n),
            rng.exponential(0.2, n),
            np.maximum(0, 100 - ecal + rng.normal(0, 8, n)),
        ],
    )
    return ScoredEvents(
        classes=CLASSES,
        label=label,
        probability=probability.astype(np.float32),
        score=np.where(status == 0, score, np.nan),
        status=status,
        weight=np.where((label == 3) & (np.arange(n) % 2 == 0), 4e-5, 1.0),
        mass=np.where(label == 0, rng.choice(MASSES, n), np.nan),
        ecal_energy=ecal,
        hcal_energy=hcal,
        ids=np.stack([np.full(n, 6510), np.arange(n) // 100, np.arange(n) % 100], axis=1),
    )


@pytest.fixture(scope="session")
def scored() -> ScoredEvents:
    return toy_events()
