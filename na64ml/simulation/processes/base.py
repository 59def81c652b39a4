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

        Events drawn otherwise than nature makes them carry weights: rate x particles on target x sum of weights /
        number of generated events is the number expected in nature, also of every part of the sample such as one
        species of a mixture or one range of energies. Where all that `rate` counts is covered the mean weight is 1;
        forced decays have a smaller one, their probability.
        """

    @abstractmethod
    def rate(self, beamline: Beamline) -> NonNegative:
        """Return the number of such events per particle on target, before any bias, with its source."""
