"""The eight symmetries of a square, by which showers are turned and mirrored.

Operation ``op`` mirrors x if ``op & 1``, mirrors y if ``op & 2``, and then exchanges x and y if ``op & 4``.
"""

import numpy as np
from numpy.typing import NDArray

N_OPERATIONS = 8


def fold(
    place: NDArray[np.float64], mirror: NDArray[np.bool_], exchange: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return places moved to one side of the lines of symmetry, and the operation that moves each there.

    Parameters
    ----------
    place
        ``[n, 2]``.
    mirror
        Where x and y may be mirrored, ``[n]``: they become positive.
    exchange
        Where x and y may be exchanged, ``[n]``: x becomes the larger one.
    """
    flip = (place < 0) & mirror[:, None]
    moved = np.where(flip, -place, place)
    swapped = (moved[:, 1] > moved[:, 0]) & exchange
    return np.where(swapped[:, None], moved[:, ::-1], moved), flip[:, 0] + 2 * flip[:, 1] + 4 * swapped


def apply(op: NDArray[np.int64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return places, ``[n, 2]``, after the operations ``[n]``."""
    sign = 1 - 2 * np.column_stack([op & 1, (op >> 1) & 1])
    moved = place * sign
    return np.asarray(np.where((op >> 2 & 1)[:, None] == 1, moved[:, ::-1], moved))


def inverse_after(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the operations that do ``first`` and then undo ``second``."""
    return _TABLE[first, second]


def _table() -> NDArray[np.int64]:
    probe, ops = np.array([[1.0, 2.0]]), np.arange(N_OPERATIONS)
    images = {tuple(apply(ops[[op]], probe)[0]): op for op in range(N_OPERATIONS)}
    undo = {op: next(o for o in range(N_OPERATIONS) if (_twice(op, o, probe) == probe).all()) for op in ops.tolist()}
    return np.array([[images[tuple(_twice(a, undo[b], probe)[0])] for b in ops.tolist()] for a in ops.tolist()])


def _twice(first: int, second: int, place: NDArray[np.float64]) -> NDArray[np.float64]:
    return apply(np.array([second]), apply(np.array([first]), place))


_TABLE = _table()
