"""Semi-visible dark photons: A' → χ₁χ₂, χ₂ → χ₁ e⁺e⁻."""

from typing import ClassVar

import numpy as np
from pydantic import Field
from scipy.constants import alpha

from na64ml.errors import ConfigError
from na64ml.limits.models.base import Coupling, Place, Signal, SignalModel, radiated
from na64ml.limits.production.flight import decay_behind
from na64ml.limits.production.target import Array
from na64ml.simulation.processes.alp import HBAR_C


class SemiVisibleDarkPhoton(SignalModel):
    """Inelastic dark matter, seen as missing energy when χ₂ decays behind the detector.

    Modelled: bremsstrahlung of A', which always decays to χ₁χ₂ at once; χ₂ takes the share m₂ / (m₁ + m₂) of the energy
    and decays to χ₁e⁺e⁻ with the width 4 ε² α α_D Δ⁵ / (15 π m⁴), Δ = m₂ - m₁ [M-M]; the event counts if χ₂ passes the
    whole detector (shield and region of the period). Not modelled: decays inside with part of the energy missing,
    the two-body spectrum, annihilation. The limit is therefore weaker than that of the full signature.

    Parameters
    ----------
    alpha_dark
        Dark coupling.
    mass_ratio
        Mass of χ₁ over that of A'.
    splitting
        (m₂ - m₁) / m₁.
    """

    coupling: ClassVar[Coupling] = Coupling("epsilon", r"$\epsilon$")
    needs_flight: ClassVar[bool] = True
    secondaries: bool = True
    alpha_dark: float = Field(default=0.1, gt=0, le=1)
    mass_ratio: float = Field(default=1 / 3, gt=0, lt=0.5)
    splitting: float = Field(default=0.4, gt=0)

    def signal(self, masses: Array, place: Place) -> Signal:
        """Return bremsstrahlung and the probability that χ₂ decays behind the detector."""
        flight = place.flight
        if flight is None:
            raise ConfigError(f"{type(self).__name__}: the period has no key 'flight'; give shield and region in mm")
        distance = flight.shield.value + flight.region.value
        if self.mass_ratio * (2 + self.splitting) >= 1:
            raise ConfigError(
                f"{type(self).__name__}: mass_ratio {self.mass_ratio:g} and splitting {self.splitting:g}: χ₁ and χ₂ "
                "are heavier than A'; (2 + splitting) mass_ratio must be below 1"
            )

        def fate(boson: float, energy: Array, coupling: Array) -> Array:
            gap = self.splitting * self.mass_ratio * boson
            width = 4 * alpha * self.alpha_dark * gap**5 / (15 * np.pi * boson**4) * coupling[:, None] ** 2
            heavy = (1 + self.splitting) * self.mass_ratio * boson
            share = (1 + self.splitting) / (2 + self.splitting)
            return decay_behind(share * energy / heavy * HBAR_C / width, distance)

        return Signal((radiated("vector", masses, place, self.secondaries),), np.ones(len(masses)), fate)
