"""Track lengths of electrons, positrons and photons in an electromagnetic shower, generation by generation.

The leading electron follows physics.md 4.2 [C]; photons it radiates make pairs, which are the second generation.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from na64ml.limits.production.target import Array
from na64ml.simulation.processes.positron_annihilation import SECONDARY_POSITRONS
from na64ml.simulation.processes.shower_electrons import track_length

CONVERSION = 9 / 7
"""Mean free path of photons in X0."""

N_BINS = 400
LOWEST_SHARE = 0.02
TABLE_ENERGY = 100.0


@dataclass(frozen=True, eq=False)
class Shower:
    """Track lengths in X0 per bin of energy.

    Parameters
    ----------
    energy, width
        Centres and widths of the bins in GeV, ``[n_bins]``.
    primary
        Of the beam electron or positron.
    secondary
        Of the positrons of the second generation; its electrons have as much.
    photons
        Of the photons of the first two generations.
    """

    energy: Array
    width: Array
    primary: Array
    secondary: Array
    photons: Array

    def electrons(self, secondaries: bool = True) -> Array:
        """Return the track length of electrons and positrons together, with or without the second generation."""
        return self.primary + 2 * self.secondary * secondaries


@cache
def shower(initial: float) -> Shower:
    """Return the shower of an electron or positron of ``initial`` GeV.

    Bremsstrahlung (4/3 - 4/3 y + y²) / k per X0, pairs (1 - 4/3 v (1 - v)) / k per mean free path. The positrons are
    scaled to the track lengths of physics.md 4.3 [C], by a factor between 1.2 (40 GeV) and 0.7 (88 GeV).
    """
    edges = np.linspace(LOWEST_SHARE * initial, initial, N_BINS + 1)
    energy, width = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    primary = track_length(edges, initial)
    photons = _photons(primary, energy)
    born = _pairs(photons / CONVERSION * width, energy) * width
    secondary = _response(edges, energy) @ born
    place = np.array(list(SECONDARY_POSITRONS)) * initial
    per_gev = np.interp(place, energy, secondary / width)
    known = np.array(list(SECONDARY_POSITRONS.values())) * TABLE_ENERGY / initial
    secondary = secondary * np.interp(energy, place, known / per_gev)
    photons = photons + _photons(2 * secondary, energy)
    return Shower(energy, width, primary, secondary, photons * width)


def _response(edges: Array, energy: Array) -> Array:
    """Return the track length in each bin of particles born with ``energy`` GeV, ``[n_bins, n_energies]``.

    The track length above an energy depends on its ratio to the energy of birth alone.
    """
    logarithm = np.concatenate([[0.0], np.geomspace(1e-7, np.log(1.01 / LOWEST_SHARE), 2000)])
    above = np.concatenate([[0.0], np.cumsum(track_length(np.exp(-logarithm[::-1]), 1.0)[::-1])])
    reached = np.interp(np.clip(np.log(energy / edges[:, None]), 0, None), logarithm, above)
    return np.asarray(reached[:-1] - reached[1:])


def _photons(lengths: Array, energy: Array) -> Array:
    """Return the track length per GeV of photons that electrons with these track lengths radiate."""
    y = energy[:, None] / energy
    radiated = np.where(y <= 1, (4 / 3 - 4 / 3 * y + y**2) / energy[:, None], 0.0)
    return np.asarray(radiated @ lengths * CONVERSION)


def _pairs(photons: Array, energy: Array) -> Array:
    """Return the positrons born per GeV of ``photons`` that convert in each bin."""
    v = energy[:, None] / energy
    return np.asarray(np.where(v < 1, (1 - 4 / 3 * v * (1 - v)) * CONVERSION / energy, 0.0) @ photons)
