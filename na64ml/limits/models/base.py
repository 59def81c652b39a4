"""What every signal model has: a coupling, a range of masses, beams, and a signal in a period."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from na64ml.limits.production.bremsstrahlung import bremsstrahlung
from na64ml.limits.production.emission import Emission
from na64ml.limits.production.muons import muon_bremsstrahlung
from na64ml.limits.production.target import Array, TargetName
from na64ml.limits.window import Beam, Flight, Window
from na64ml.simulation.processes.tree_level import Mediator, mass_range
from na64ml.yaml_files import StrictModel

Fate = Callable[[float, Array, Array], Array]
"""Probability that a particle of a mass (GeV) and energies ``[n]`` is seen, for couplings ``[n_c]``: ``[n_c, n]``."""

LOWEST_WINDOW = 0.7
"""Emissions below this share of the threshold are not computed: no resolution lifts them above it."""


@dataclass(frozen=True)
class Coupling:
    """The coupling that a limit is set on: key in tables, symbol in figures, unit, and the range searched."""

    name: str
    symbol: str
    unit: str = "1"
    low: float = 1e-8
    high: float = 10.0


@dataclass(frozen=True)
class Place:
    """What a model needs to know of a period.

    Parameters
    ----------
    beam, target, depth
        Beam, material and thickness in X0 of the target.
    window
        Accepted energies.
    flight
        Shield and decay region, if there are.
    """

    beam: Beam
    target: TargetName
    depth: float
    window: Window
    flight: Flight | None = None


@dataclass(frozen=True, eq=False)
class Signal:
    """Dark particles per beam particle, and what becomes of them.

    Parameters
    ----------
    emissions
        Made per beam particle for a coupling of 1.
    scale
        Factor of each mass, such as a branching ratio, ``[n_masses]``.
    fate
        Probability to be seen, which depends on the coupling; None if all are.
    """

    emissions: tuple[Emission, ...]
    scale: Array
    fate: Fate | None = None

    def expected(self, masses: Array, coupling: Array, acceptance: Callable[[float, Array], Array]) -> Array:
        """Return the events seen per beam particle, ``[n_masses, n_couplings]``.

        Parameters
        ----------
        acceptance
            Probability to be accepted, of a mass and of energies ``[n]`` in GeV.
        """
        total = np.zeros((len(masses), len(coupling)))
        for emission in self.emissions:
            for i, one in enumerate(masses):
                energy, rate = emission.energy[i], emission.rate[i] * self.scale[i]
                seen = rate * acceptance(float(one), energy)
                used = seen > 0
                if not used.any():
                    continue
                if self.fate is None:
                    total[i] += seen.sum() * coupling**2
                else:
                    total[i] += self.fate(float(one), energy[used], coupling) @ seen[used] * coupling**2
        return total


class SignalModel(StrictModel, ABC):
    """A signal model; its parameters are the ``init_args`` of a configuration."""

    coupling: ClassVar[Coupling]
    beams: ClassVar[tuple[str, ...]] = ("e-", "e+")
    needs_flight: ClassVar[bool] = False

    @property
    def masses(self) -> tuple[float, float]:
        """Smallest and largest mass in GeV for which the formulas hold."""
        return mass_range()

    @abstractmethod
    def signal(self, masses: Array, place: Place) -> Signal:
        """Return what is made and seen in a period, for masses in GeV ``[n_masses]``."""


def radiated(kind: Mediator, masses: Array, place: Place, secondaries: bool) -> Emission:
    """Return bremsstrahlung by the particles of the beam, for a coupling of 1 in units of e."""
    energy = place.beam.energy.value
    if place.beam.particle == "mu-":
        return muon_bremsstrahlung(kind, masses, energy, place.target, place.depth)
    lowest = LOWEST_WINDOW * place.window.missing_energy.value
    return bremsstrahlung(kind, masses, energy, place.target, secondaries, lowest)
