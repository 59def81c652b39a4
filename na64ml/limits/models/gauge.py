"""New gauge bosons that decay to neutrinos: B-L and Lμ-Lτ."""

from typing import ClassVar

import numpy as np
from pydantic import Field
from scipy.constants import alpha

from na64ml.limits.models.base import Coupling, Place, Signal, SignalModel, radiated
from na64ml.limits.production.annihilation import narrow_annihilation
from na64ml.limits.production.target import Array
from na64ml.simulation.particles import mass

CHARGE = 4 * np.pi * alpha
"""Square of the electron charge in natural units."""


class BMinusL(SignalModel):
    """The Z' of B-L, made as a dark photon with g = ε e, decaying to neutrinos (physics.md 4.5; arXiv:2207.09979).

    Parameters
    ----------
    dirac_neutrinos
        Whether there are light right-handed neutrinos as well.
    annihilation
        Whether e⁺e⁻ → Z' → νν is included, in the limit of a narrow resonance.
    secondaries
        Whether the second generation of the shower radiates it as well.
    """

    coupling: ClassVar[Coupling] = Coupling("g_BL", r"$g_{B-L}$")
    dirac_neutrinos: bool = False
    annihilation: bool = True
    secondaries: bool = True

    def invisible(self, masses: Array) -> Array:
        """Return the branching ratio to neutrinos: 0.60 or 0.75 between 2 m_e and 2 m_μ (physics.md 4.5 [C]).

        Hadrons, which open above the two-pion mass, are not included: the range of masses ends at 2 m_π.
        """
        neutrinos = 3.0 if self.dirac_neutrinos else 1.5
        charged = [_charged(masses, pdg) for pdg in (11, 13)]
        return np.asarray(neutrinos / (neutrinos + charged[0] + charged[1]))

    @property
    def masses(self) -> tuple[float, float]:
        """From the cross-section table to twice the pion mass."""
        low, _ = super().masses
        return low, 2 * float(mass(211))

    def signal(self, masses: Array, place: Place) -> Signal:
        """Return bremsstrahlung and annihilation."""
        share = self.invisible(masses)
        emissions = [radiated("vector", masses, place, self.secondaries)]
        if self.annihilation:
            width = alpha * masses / 3 * _charged(masses, 11)
            beam = place.beam
            found = narrow_annihilation(
                masses, beam.energy.value, beam.particle == "e+", place.target, width, np.ones(len(masses))
            )
            emissions.append(found)
        return Signal(tuple(emissions), share / CHARGE)


class LmuLtau(SignalModel):
    """The Z' of Lμ-Lτ that decays to neutrinos, made by muons, or by electrons through mixing at one loop.

    Parameters
    ----------
    secondaries
        Whether the second generation of a shower radiates it as well.
    loop_mixing
        ε / g of the coupling to electrons; physics.md 4.5 [M-H]: e ln(m_τ² / m_μ²) / (12 π²), about 1/70.
    """

    coupling: ClassVar[Coupling] = Coupling("g_Zprime", r"$g_{Z'}$")
    beams: ClassVar[tuple[str, ...]] = ("e-", "e+", "mu-")
    secondaries: bool = True
    loop_mixing: float = Field(
        default_factory=lambda: float(
            np.sqrt(CHARGE) * np.log(float(mass(15)) ** 2 / float(mass(13)) ** 2) / (12 * np.pi**2)
        ),
        gt=0,
    )

    def invisible(self, masses: Array) -> Array:
        """Return the branching ratio to neutrinos: 1 below 2 m_μ, half of it far above."""
        return np.asarray(1.0 / (1.0 + _charged(masses, 13)))

    def signal(self, masses: Array, place: Place) -> Signal:
        """Return bremsstrahlung by muons or electrons."""
        share = self.invisible(masses)
        made = radiated("vector", masses, place, self.secondaries)
        muons = place.beam.particle == "mu-"
        return Signal((made,), share / CHARGE if muons else share * self.loop_mixing**2)


def _charged(masses: Array, pdg: int) -> Array:
    """Return Γ(l⁺l⁻) of a vector over g² m / (12 π), 0 below threshold."""
    squares = (float(mass(pdg)) / masses) ** 2
    return np.asarray((1 + 2 * squares) * np.sqrt(np.clip(1 - 4 * squares, 0, None)))
