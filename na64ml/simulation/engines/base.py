"""What every engine has: it turns particles into deposits."""

from abc import ABC, abstractmethod
from typing import Any

from numpy.random import SeedSequence

from na64ml.setups.setup import Setup
from na64ml.simulation.deposits import Deposits
from na64ml.simulation.particles import Particles
from na64ml.yaml_files import StrictModel


class Transport(ABC):
    """An engine made ready for one setup."""

    @abstractmethod
    def run(self, particles: Particles, n_events: int, seed: SeedSequence) -> Deposits:
        """Transport the particles of events ``0 .. n_events - 1``; the same seed gives the same deposits."""


class Engine(StrictModel, ABC):
    """Turns particles into energy in channels. Its parameters are the ``init_args`` of a recipe."""

    @abstractmethod
    def open(self, setup: Setup) -> Transport:
        """Make the engine ready for a setup.

        Raises
        ------
        ConfigError
            If the engine or its data are missing, or the geometry is wrong.
        """

    def provenance(self) -> dict[str, Any]:
        """Return what its results depend on beside its parameters, such as the content of a file they name."""
        return {}
