"""Splits of a sample that do not depend on the order of its events or files."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import InputError


def event_hash(dataset: str, ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Map each event to a reproducible number in [0, 1).

    Parameters
    ----------
    dataset
        Name of the dataset; the same run number in two datasets is hashed differently.
    ids
        ``[n_events, 3]``: run, spill and event in spill.

    Notes
    -----
    The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) over the four keys in turn.
    """
    seed = int.from_bytes(hashlib.sha256(dataset.encode()).digest()[:8], "little")
    state = np.full(len(ids), seed, dtype=np.uint64)
    for column in np.asarray(ids, dtype=np.int64).astype(np.uint64).T:
        state = _mix(state ^ column)
    return (state >> np.uint64(11)).astype(np.float64) * 2.0**-53


def fold_of(dataset: str, ids: NDArray[np.int64], n_folds: int) -> NDArray[np.int64]:
    """Return the fold, 0 to ``n_folds - 1``, of each event."""
    return (event_hash(dataset, ids) * n_folds).astype(np.int64)


def check_unique(ids: NDArray[np.int64], source: str) -> None:
    """Raise an error if two events have the same run, spill and event number.

    Raises
    ------
    InputError
        Naming the first identifier that occurs twice.
    """
    ordered = ids[np.lexsort(ids.T[::-1])]
    repeated = np.flatnonzero((ordered[1:] == ordered[:-1]).all(axis=1))
    if len(repeated):
        run, spill, spillevent = ordered[repeated[0]].tolist()
        raise InputError(
            f"{source}: event run={run} spill={spill} spillevent={spillevent} occurs more than once "
            f"({len(repeated)} duplicates); remove the repeated events or files"
        )


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
