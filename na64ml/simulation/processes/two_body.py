"""Decays into two particles."""

from typing import Any, cast

import numpy as np
import vector
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray


def decay_in_two(
    parent_mass: ArrayLike, first_mass: float, second_mass: float, momentum: NDArray[np.float64], rng: Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the momenta of two daughters, isotropic in the rest frame of the parent (PDG, kinematics).

    Parameters
    ----------
    parent_mass, first_mass, second_mass
        Masses in GeV; that of the parent may be one for each.
    momentum
        Of the parents in GeV, ``[n, 3]``.

    Raises
    ------
    ValueError
        If a parent is lighter than its daughters.
    """
    parent = np.broadcast_to(np.asarray(parent_mass, dtype=np.float64), len(momentum))
    if (parent < first_mass + second_mass).any():
        raise ValueError(f"a parent of {parent.min():g} GeV cannot decay to {first_mass:g} and {second_mass:g} GeV")
    product = (parent**2 - (first_mass + second_mass) ** 2) * (parent**2 - (first_mass - second_mass) ** 2)
    p = np.sqrt(product) / (2 * parent)
    direction = isotropic(len(momentum), rng)
    first = boosted(p[:, None] * direction, first_mass, momentum, parent)
    second = boosted(-p[:, None] * direction, second_mass, momentum, parent)
    return first, second


def isotropic(n: int, rng: Generator) -> NDArray[np.float64]:
    """Return unit vectors without preferred direction, ``[n, 3]``."""
    cosine, azimuth = rng.uniform(-1, 1, n), rng.uniform(0, 2 * np.pi, n)
    sine = np.sqrt(1 - cosine**2)
    return np.column_stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine])


def boosted(
    momentum: NDArray[np.float64], mass: ArrayLike, frame: NDArray[np.float64], frame_mass: ArrayLike
) -> NDArray[np.float64]:
    """Return momenta given in a rest frame as seen from where that frame has the momentum ``frame``, ``[n, 3]``."""
    masses = np.broadcast_to(np.asarray(mass, dtype=np.float64), len(momentum))
    frames = np.broadcast_to(np.asarray(frame_mass, dtype=np.float64), len(momentum))
    inside = vector.array(dict(zip(("px", "py", "pz", "M"), (*momentum.T, masses), strict=True)))
    moving = vector.array(dict(zip(("px", "py", "pz", "M"), (*frame.T, frames), strict=True)))
    seen: Any = cast(Any, inside).boost_p4(moving)
    return np.column_stack([seen.px, seen.py, seen.pz])
