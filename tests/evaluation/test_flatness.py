from dataclasses import replace

import numpy as np
import pytest

from na64ml.errors import InputError
from na64ml.evaluation.flatness import flatness_in_energy, flatness_in_mass
from na64ml.evaluation.scored import ScoredEvents

N = 4000


def signal(score: np.ndarray, energy: np.ndarray, mass: np.ndarray) -> ScoredEvents:
    n = len(score)
    return ScoredEvents(
        classes=("dark_photon", "dimuon"),
        label=np.zeros(n, dtype=np.int16),
        probability=np.full((n, 2), 0.5, dtype=np.float32),
        score=score,
        status=np.zeros(n, dtype=np.int8),
        weight=np.ones(n),
        mass=mass,
        ecal_energy=energy,
        hcal_energy=np.zeros(n),
        ids=np.stack([np.zeros(n), np.zeros(n), np.arange(n)], axis=1).astype(np.int64),
    )


@pytest.fixture
def flat() -> ScoredEvents:
    rng = np.random.default_rng(5)
    return signal(rng.normal(0, 1, N), rng.uniform(0, 80, N), rng.choice([0.01, 0.1, 1.0], N))


def test_a_score_that_knows_nothing_of_the_energy_is_flat(flat: ScoredEvents) -> None:
    in_energy = flatness_in_energy(flat, 0.0)
    assert len(in_energy.efficiency) == 6
    assert sum(item.total for item in in_energy.efficiency) == N
    np.testing.assert_allclose(in_energy.upper[:-1], in_energy.lower[1:])
    for found in (in_energy, flatness_in_mass(flat, 0.0)):
        assert found.probability > 0.01
        assert found.spread < 0.1


def test_a_score_that_follows_the_energy_is_not(flat: ScoredEvents) -> None:
    tilted = replace(flat, score=flat.score - flat.ecal_energy / 40 + 1)
    found = flatness_in_energy(tilted, 0.0, n_bins=4)
    assert found.probability < 1e-6
    assert found.spread == pytest.approx(found.efficiency[0].value - found.efficiency[-1].value)
    assert found.spread > 0.3
    assert flatness_in_mass(tilted, 0.0).probability > 0.01
    by_mass = replace(flat, score=flat.score + (flat.mass == 1.0))
    assert flatness_in_mass(by_mass, 0.0).probability < 1e-6
    assert flatness_in_mass(by_mass, 0.0).lower == (0.01, 0.1, 1.0)


def test_the_probability_is_uniform_for_flat_efficiencies() -> None:
    rng = np.random.default_rng(2)
    found = []
    for _ in range(200):
        energy, score = rng.uniform(0, 80, 300), rng.normal(0, 1, 300)
        found.append(flatness_in_energy(signal(score, energy, np.full(300, 0.1)), 0.5).probability)
    assert np.mean(np.array(found) < 0.5) == pytest.approx(0.5, abs=0.13)


def test_equal_energies_and_events_without_weight_make_fewer_bins(flat: ScoredEvents) -> None:
    weight = np.where(flat.ecal_energy < 40, 1.0, 0.0)
    few = replace(flat, ecal_energy=np.round(flat.ecal_energy, -1), weight=weight)
    found = flatness_in_energy(few, 0.0)
    assert found.lower == (0, 10, 20, 30)
    assert found.upper == (10, 20, 30, 40)
    assert sum(item.total for item in found.efficiency) == weight.sum()
    same = flatness_in_energy(replace(flat, ecal_energy=np.full(N, 30.0)), 0.0)
    assert (same.lower, same.upper, same.spread, same.probability) == ((30.0,), (30.0,), 0, 1)


def test_an_energy_that_is_no_number_does_not_hide_the_others(flat: ScoredEvents) -> None:
    tilted = replace(flat, score=flat.score - flat.ecal_energy / 40 + 1)
    one = replace(tilted, ecal_energy=np.where(np.arange(N) == 0, np.nan, tilted.ecal_energy))
    assert len(flatness_in_energy(one, 0.0).efficiency) == 6
    assert flatness_in_energy(one, 0.0).probability < 1e-6
    with pytest.raises(InputError, match="no signal event"):
        flatness_in_energy(replace(flat, ecal_energy=np.full(N, np.nan)), 0.0)


def test_events_of_one_shower_do_not_make_a_flat_efficiency_look_uneven() -> None:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(100):
        energy, score = (np.repeat(rng.uniform(-1, 1, 100), 10) for _ in range(2))
        once = replace(signal(score, energy, np.full(1000, 0.1)), group=np.repeat(np.arange(100), 10))
        found.append(flatness_in_energy(once, 0.0).probability)
    assert np.mean(np.array(found) < 0.05) < 0.15
