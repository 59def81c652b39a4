"""A small invisible search, and scored events with known efficiencies."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from na64ml.evaluation.scored import ScoredEvents
from na64ml.limits.config import LimitConfig
from na64ml.resources import shipped


@pytest.fixture
def content() -> dict[str, Any]:
    """Return a configuration as a mapping, to be changed by a test."""
    path = shipped("configs") / "na64e_invisible" / "limits" / "bremsstrahlung_2016_2018.yaml"
    loaded: dict[str, Any] = yaml.safe_load(path.read_text())
    return loaded | {"masses": {"values": [0.01, 0.1]}, "compare": [], "what_if": None}


@pytest.fixture
def config(content: dict[str, Any]) -> LimitConfig:
    return LimitConfig.model_validate(content)


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """Write signal of two masses, of which 3/4 score above 0, and 40 events of two backgrounds of weight 0.5."""
    n_signal, n_background = 400, 40
    n = n_signal + 2 * n_background
    label = np.repeat([0, 1, 2], [n_signal, n_background, n_background]).astype(np.int16)
    score = np.where(np.arange(n) % 4 == 0, -1.0, 1.0)
    score[label == 1] = np.where(np.arange(n_background) < 4, 1.0, -1.0)
    score[label == 2] = -1.0
    mass = np.full(n, np.nan)
    mass[:n_signal] = np.where(np.arange(n_signal) < n_signal // 2, np.float32(0.01), np.float32(0.1))
    ecal = np.where(label == 0, np.where(np.arange(n) % 2 == 0, 10.0, 30.0), 40.0)
    scored = ScoredEvents(
        classes=("dark_photon", "electroproduction", "dimuon"),
        label=label,
        probability=np.full((n, 3), 1 / 3, dtype=np.float32),
        score=score + np.linspace(0, 0.1, n),
        status=np.zeros(n, dtype=np.int8),
        weight=np.where(label == 0, 1.0, 0.5),
        mass=mass,
        ecal_energy=ecal,
        hcal_energy=np.zeros(n),
        ids=np.stack([np.ones(n), np.zeros(n), np.arange(n)], axis=1).astype(np.int64),
        group=np.where(label == 1, np.arange(n) // 2, np.arange(n) + 10_000).astype(np.int64),
    )
    path = tmp_path / "scored.npz"
    scored.write(path)
    return path
