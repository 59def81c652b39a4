"""Which missing energies a search accepts, with the resolution of what is left."""

import numpy as np
from pydantic import Field
from scipy.special import ndtr

from na64ml.limits.production.target import Array
from na64ml.setups.sourced import NonNegative, Positive
from na64ml.yaml_files import StrictModel


class Resolution(StrictModel):
    """Resolution of the energy that stays in the target.

    Parameters
    ----------
    stochastic, constant
        Relative resolution, ``stochastic / sqrt(E)`` and ``constant``, added in squares.
    beam_spread
        Relative spread of the beam energy.
    """

    stochastic: NonNegative
    constant: NonNegative
    beam_spread: NonNegative


class Window(StrictModel):
    """Energies of the dark particle that a search accepts.

    Parameters
    ----------
    missing_energy
        Threshold in GeV.
    resolution
        Smears the threshold; without it the threshold is sharp.
    least_deposit
        Energy in GeV that must stay in the target for the trigger.
    """

    missing_energy: Positive
    resolution: Resolution | None = None
    least_deposit: NonNegative | None = None

    def accepted(self, energy: Array, beam: float) -> Array:
        """Return the probability that a dark particle of ``energy`` GeV is in the window."""
        left = np.clip(beam - energy, 0, None)
        inside = self._above(energy, left, beam)
        if self.least_deposit is not None:
            inside = inside * (left >= self.least_deposit.value)
        return np.asarray(inside)

    def _above(self, energy: Array, left: Array, beam: float) -> Array:
        if self.resolution is None:
            return np.where(energy > self.missing_energy.value, 1.0, 0.0)
        squares = self.resolution.stochastic.value**2 * left + (self.resolution.constant.value * left) ** 2
        sigma = np.sqrt(squares + (self.resolution.beam_spread.value * beam) ** 2)
        return np.asarray(ndtr((energy - self.missing_energy.value) / np.maximum(sigma, 1e-9)))


class Flight(StrictModel):
    """Where a particle that decays must do so.

    Parameters
    ----------
    shield
        Distance in mm from where it is made to the end of what would stop its decay products.
    region
        Length in mm of the region behind, in which the decay is seen.
    """

    shield: Positive
    region: Positive


class Beam(StrictModel):
    """The beam.

    Parameters
    ----------
    particle
        ``e-``, ``e+`` or ``mu-``.
    energy
        In GeV.
    """

    particle: str = Field(pattern=r"^(e-|e\+|mu-)$")
    energy: Positive
