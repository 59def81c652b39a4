"""Runs whose momenta do not fit their beam energy are warned about when training caches them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from na64ml.events.cache import build_cache
from na64ml.events.reader import EventReader
from na64ml.setups.conditions import Conditions

N = 60
RUNS = np.repeat([6501, 6500, 6502], N // 3)
MOMENTA = np.repeat([150.0, 101.0, np.nan], N // 3)


@pytest.fixture
def cached(
    tree_file: Callable[..., Path], layout_file: Callable[..., str], srd: dict[str, Any], tmp_path: Path
) -> Callable[[EventReader, int], Path]:
    def build(reader: EventReader, n_events: int = N) -> Path:
        content = {"p": MOMENTA[:n_events], "SRD_ene": np.ones((n_events, 3), dtype=np.float32)}
        file = tree_file(n_events=n_events, run=RUNS[:n_events], **content)
        return build_cache(reader, file, tmp_path / "cache")

    return build


@pytest.fixture
def reader(layout_file: Callable[..., str], srd: dict[str, Any]) -> EventReader:
    return EventReader(layout_file(srd, track={"p": {"branch": "p"}}))


def with_beam_energy(conditions: Conditions, energy: float) -> Conditions:
    """Return conditions in which run 6501 has a beam energy of its own."""
    content = conditions.model_dump(mode="json", exclude={"digitisation"})
    (every,) = content["ranges"]
    content["ranges"] = [
        every | {"runs": {"value": runs, "source": "?"}, "beam_energy": {"value": value, "source": "?"}}
        for runs, value in (([6500, 6500], 100), ([6501, 6501], energy), ([6502, 6511], 100))
    ]
    return Conditions.model_validate(content)


def test_a_run_at_another_beam_energy_is_warned_about(
    cached: Callable[..., Path], reader: EventReader, caplog: pytest.LogCaptureFixture
) -> None:
    cached(reader)
    assert "run 6501: the median track momentum is 150 GeV" in caplog.text
    assert "'na64e_reference' have a beam of 100 GeV; give these runs their own 'beam_energy'" in caplog.text
    assert "run 6500" not in caplog.text


def test_runs_whose_conditions_have_their_beam_energy_fit(
    cached: Callable[..., Path], reader: EventReader, caplog: pytest.LogCaptureFixture
) -> None:
    plain = cached(reader)
    caplog.clear()
    reader.conditions = with_beam_energy(reader.conditions, 150.0)
    assert cached(reader) != plain  # the beam energies are part of the hash of the conditions
    assert "median" not in caplog.text


def test_a_few_tracks_say_nothing(
    cached: Callable[..., Path], reader: EventReader, caplog: pytest.LogCaptureFixture
) -> None:
    cached(reader, 19)
    assert "median" not in caplog.text
