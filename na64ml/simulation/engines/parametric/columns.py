"""Collections of particles in columns, all of one length."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Int = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Columns:
    """Arrays of one length; the first index is the particle.

    Parameters
    ----------
    slot
        Slot of the table of deposits, ``[n]``.
    """

    slot: Int

    def __len__(self) -> int:
        return len(self.slot)

    def select(self, which: Bool | NDArray[np.integer[Any]] | slice) -> Self:
        """Return the chosen particles."""
        return type(self)(**{item.name: getattr(self, item.name)[which] for item in fields(self)})

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Join several collections."""
        return cls(**{item.name: np.concatenate([getattr(part, item.name) for part in parts]) for item in fields(cls)})


@dataclass(frozen=True, eq=False)
class Showers(Columns):
    """Electrons and photons that shower.

    Parameters
    ----------
    origin, direction
        Start in mm and unit vector, ``[n, 3]``.
    energy
        In GeV, ``[n]``.
    photon
        Whether it has to convert first, ``[n]``.
    """

    origin: Float
    direction: Float
    energy: Float
    photon: Bool


@dataclass(frozen=True, eq=False)
class Tracks(Columns):
    """Hadrons and muons in flight.

    Parameters
    ----------
    origin, direction
        Start in mm and unit vector, ``[n, 3]``.
    kinetic, mass, charge
        In GeV, GeV and elementary charges, ``[n]``.
    released
        Energy in GeV that an interaction frees besides the kinetic one, ``[n]``.
    cross_section
        Interaction lengths of matter are divided by it, ``[n]``.
    """

    origin: Float
    direction: Float
    kinetic: Float
    mass: Float
    charge: Float
    released: Float
    cross_section: Float
