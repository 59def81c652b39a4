"""What every process has: a name, a rate, and events."""

from abc import ABC, abstractmethod
from typing import ClassVar

from numpy.random import Generator

from na64ml.setups.sourced import NonNegative
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import GeneratedEvents
from na64ml.yaml_files import StrictModel


class Process(StrictModel, ABC):
    """A physics process that makes events: a signal or a background.

    Its parameters are the ``init_args`` of a recipe; unknown or wrong ones are errors. A new process is a class
    of its own, named in the recipe by ``class_path``.
    """

    name: ClassVar[str]
    """Name of the process in files and modes."""

    @abstractmethod
    def generate(self, n_events: int, beamline: Beamline, rng: Generator) -> GeneratedEvents:
        """Make ``n_events`` events.

        Biased events carry weights whose mean over many events is the biased acceptance: summed over all generated
        events and divided by their number, they give nature's distributions times the share of them that is
        covered.
        """

    @abstractmethod
    def rate(self, beamline: Beamline) -> NonNegative:
        """Return the number of such events per particle on target, before any bias, with its source."""
