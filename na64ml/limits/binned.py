"""Efficiencies in bins of mass and energy."""

from dataclasses import dataclass

import numpy as np

from na64ml.errors import ConfigError
from na64ml.limits.production.target import Array

ROUNDING = 1e-6
"""Masses in files are of single precision."""


@dataclass(frozen=True, eq=False)
class EfficiencyTable:
    """Efficiency by mass and energy of the dark particle.

    Parameters
    ----------
    mass
        In GeV, rising, ``[n_masses]``; empty if the efficiency does not depend on it.
    edges
        Edges of the energy bins in GeV, ``[n_bins + 1]``.
    value, lo, hi
        Efficiency and interval, ``[n_masses, n_bins]``; ``[1, n_bins]`` without masses.
    label
        Where it comes from, for every output.
    """

    mass: Array
    edges: Array
    value: Array
    lo: Array
    hi: Array
    label: str

    def at(self, mass: float, energy: Array) -> Array:
        """Return the efficiency for energies in GeV, interpolated in the logarithm of the mass.

        Energies outside the bins have the efficiency of the bin next to them.

        Raises
        ------
        ConfigError
            If the mass is outside those that were measured.
        """
        row = self._row(mass, self.value)
        index = np.clip(np.searchsorted(self.edges, energy, side="right") - 1, 0, len(row) - 1)
        return np.asarray(row[index])

    @property
    def relative_error(self) -> float:
        """Largest relative half width of the interval of any mass, averaged over the energy bins."""
        half = (self.hi - self.lo).mean(axis=1) / 2
        return float((half / self.value.mean(axis=1)).max())

    def _row(self, mass: float, table: Array) -> Array:
        if len(self.mass) == 0:
            return np.asarray(table[0])
        if not self.mass[0] * (1 - ROUNDING) <= mass <= self.mass[-1] * (1 + ROUNDING):
            raise ConfigError(
                f"mass {mass:g} GeV: the efficiency was measured from {self.mass[0]:g} to {self.mass[-1]:g} GeV "
                f"({self.label}); restrict key 'masses' or measure more"
            )
        place = np.log(self.mass)
        return np.array([np.interp(np.log(mass), place, column) for column in table.T])
