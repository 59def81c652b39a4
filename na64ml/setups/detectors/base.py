"""What every detector has: a name, a response, and channels."""

from abc import ABC, abstractmethod
from functools import cached_property
from math import prod

from pydantic import Field

from na64ml.setups.channels import Channels
from na64ml.setups.sourced import NonNegative, Positive
from na64ml.yaml_files import StrictModel


class Resolution(StrictModel):
    """Relative energy resolution.

    Parameters
    ----------
    stochastic
        Coefficient of 1/sqrt(E) with E in GeV.
    constant
        Energy-independent term.
    gain_spread
        Spread of the gain from channel to channel.
    """

    stochastic: NonNegative | None = None
    constant: NonNegative | None = None
    gain_spread: NonNegative | None = None


class DetectorBase(StrictModel, ABC):
    """One subdetector; energies in GeV, times in ns, lengths in mm.

    Parameters
    ----------
    name
        Name used in layouts, selections and model metadata, for example ``ECAL``.
    mip
        Typical (median) energy that a minimum-ionising particle deposits in one module or element.
    threshold, noise
        Readout threshold and noise of one channel.
    resolution
        Energy resolution.
    time_sigma
        Time resolution of one channel.
    """

    name: str = Field(min_length=1)
    mip: Positive | None = None
    threshold: NonNegative | None = None
    noise: NonNegative | None = None
    resolution: Resolution = Resolution()
    time_sigma: Positive | None = None

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Logical shape of the channel array."""

    @property
    @abstractmethod
    def pitch(self) -> tuple[float, float, float]:
        """Length in mm of one channel step in x, y and z, the scale of neighbour finding."""

    @cached_property
    @abstractmethod
    def channels(self) -> Channels:
        """Channels in the C-order of `shape`."""

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return prod(self.shape)


def spacing(coordinates: list[float], otherwise: float) -> float:
    """Return the mean distance of distinct coordinates, or ``otherwise`` where there is only one."""
    distinct = sorted(set(coordinates))
    if len(distinct) == 1:
        return otherwise
    return (distinct[-1] - distinct[0]) / (len(distinct) - 1)
