import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chisquare

from na64ml.errors import InputError
from na64ml.events.splits import check_unique, event_hash, fold_of


@pytest.fixture
def ids() -> NDArray[np.int64]:
    run, spill, event = np.meshgrid([6500, 6501], np.arange(20), np.arange(500), indexing="ij")
    return np.stack([run.ravel(), spill.ravel(), event.ravel()], axis=1)


def test_the_fold_of_an_event_does_not_depend_on_the_others(ids: NDArray[np.int64]) -> None:
    order = np.random.default_rng(1).permutation(len(ids))
    np.testing.assert_array_equal(fold_of("a", ids[order], 5), fold_of("a", ids, 5)[order])
    np.testing.assert_array_equal(fold_of("a", ids[100:101], 5), fold_of("a", ids, 5)[100:101])


def splitmix(state: int) -> int:
    """SplitMix64 with Python integers."""
    state = (state + 0x9E3779B97F4A7C15) % 2**64
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB % 2**64
    return state ^ (state >> 31)


def test_the_hash_is_splitmix_over_the_keys() -> None:
    assert splitmix(1234567) == 6457827717110365317  # published check value of the generator
    ids = [6500, 2, 13]
    state = int.from_bytes(hashlib.sha256(b"na64e_reference").digest()[:8], "little")
    for key in ids:
        state = splitmix(state ^ key)
    assert event_hash("na64e_reference", np.array([ids])).tolist() == [(state >> 11) / 2**53]


@pytest.mark.parametrize("n_folds", [2, 5, 10])
def test_folds_are_uniform(ids: NDArray[np.int64], n_folds: int) -> None:
    folds = fold_of("a", ids, n_folds)
    assert set(folds.tolist()) == set(range(n_folds))
    assert chisquare(np.bincount(folds)).pvalue > 1e-3


def test_hash_is_uniform_in_each_spill(ids: NDArray[np.int64]) -> None:
    values = event_hash("a", ids)
    assert values.min() >= 0
    assert values.max() < 1
    for spill in range(20):
        counts, _ = np.histogram(values[ids[:, 1] == spill], bins=10, range=(0, 1))
        assert chisquare(counts).pvalue > 1e-4


def test_every_identifier_and_the_dataset_count(ids: NDArray[np.int64]) -> None:
    folds = fold_of("a", ids, 5)
    others = [fold_of("b", ids, 5), *(fold_of("a", ids + step, 5) for step in np.eye(3, dtype=np.int64))]
    for other in others:
        assert np.mean(folds == other) == pytest.approx(0.2, abs=0.02)


def test_duplicates_are_named(ids: NDArray[np.int64]) -> None:
    check_unique(ids, "events.root")
    with pytest.raises(InputError, match=r"a\.root: event run=6501 spill=3 spillevent=7 .*\(2 duplicates\)"):
        check_unique(np.concatenate([ids, [[6501, 3, 7], [6501, 3, 7]]]), "a.root")
