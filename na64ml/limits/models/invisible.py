"""Bosons that decay to dark matter: the dark photon, and scalars, pseudoscalars and axial vectors."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from na64ml.limits.models.base import Coupling, Place, Signal, SignalModel, radiated
from na64ml.limits.production.annihilation import annihilation
from na64ml.limits.production.target import Array
from na64ml.simulation.processes.positron_annihilation import PositronAnnihilation


class InvisibleDarkPhoton(SignalModel):
    """A' → χχ, from bremsstrahlung and resonant annihilation (physics.md 4.1 to 4.3).

    Parameters
    ----------
    annihilation
        Whether positrons annihilate to it, by the resonance of physics.md 4.3.
    secondaries
        Whether the second generation of the shower radiates it as well.
    alpha_dark, mass_ratio, matter
        Dark coupling, mass of χ over that of the dark photon, and what χ is.
    """

    coupling: ClassVar[Coupling] = Coupling("epsilon", r"$\epsilon$")
    beams: ClassVar[tuple[str, ...]] = ("e-", "e+", "mu-")
    annihilation: bool = True
    secondaries: bool = True
    alpha_dark: float = Field(default=0.1, gt=0, le=1)
    mass_ratio: float = Field(default=1 / 3, gt=0, lt=0.5)
    matter: Literal["dirac", "scalar"] = "dirac"

    def signal(self, masses: Array, place: Place) -> Signal:
        """Return bremsstrahlung and, with electrons or positrons, annihilation."""
        emissions = [radiated("vector", masses, place, self.secondaries)]
        if self.annihilation and place.beam.particle != "mu-":
            template = PositronAnnihilation(alpha_dark=self.alpha_dark, mass_ratio=self.mass_ratio, matter=self.matter)
            beam = place.beam
            emissions.append(annihilation(masses, beam.energy.value, beam.particle == "e+", place.target, template))
        return Signal(tuple(emissions), np.ones(len(masses)))


class InvisibleBoson(SignalModel):
    """A scalar, pseudoscalar or axial vector that decays invisibly, from bremsstrahlung (physics.md 4.5).

    The coupling to the lepton is ε e. Annihilation is not included.

    Parameters
    ----------
    kind
        Spin and parity.
    secondaries
        Whether the second generation of the shower radiates it as well.
    """

    coupling: ClassVar[Coupling] = Coupling("epsilon", r"$\epsilon$")
    beams: ClassVar[tuple[str, ...]] = ("e-", "e+", "mu-")
    kind: Literal["scalar", "pseudoscalar", "axial"] = "scalar"
    secondaries: bool = True

    def signal(self, masses: Array, place: Place) -> Signal:
        """Return bremsstrahlung."""
        return Signal((radiated(self.kind, masses, place, self.secondaries),), np.ones(len(masses)))
