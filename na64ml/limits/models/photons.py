"""Axion-like particles and scalars that couple to photons."""

from typing import ClassVar, Literal

import numpy as np

from na64ml.errors import ConfigError
from na64ml.limits.models.base import Coupling, Place, Signal, SignalModel
from na64ml.limits.production.flight import decay_behind, decay_inside
from na64ml.limits.production.primakoff import primakoff
from na64ml.limits.production.target import Array
from na64ml.simulation.processes.alp import ALP


class TwoPhotons(SignalModel):
    """a → γγ behind the first HCAL module, or missing energy behind the last (physics.md 4.5; arXiv:2005.02710).

    Both branches have the window and the efficiency of the period. Production and decay of a scalar are those of a
    pseudoscalar in this approximation.

    Parameters
    ----------
    particle
        What the coupling is called: ``pseudoscalar`` or ``scalar``.
    branches
        Which signatures count.
    """

    coupling: ClassVar[Coupling] = Coupling("g_agg", r"$g_{a\gamma\gamma}$", "1/GeV", low=1e-6, high=1.0)
    needs_flight: ClassVar[bool] = True
    beams: ClassVar[tuple[str, ...]] = ("e-",)
    particle: Literal["pseudoscalar", "scalar"] = "pseudoscalar"
    branches: tuple[Literal["visible", "invisible"], ...] = ("visible", "invisible")

    @property
    def masses(self) -> tuple[float, float]:
        """From where the decay is far behind the detector to where none survives the shield."""
        return 1e-5, 0.2

    def signal(self, masses: Array, place: Place) -> Signal:
        """Return Primakoff production and the probability to decay where it is seen."""
        flight = place.flight
        if flight is None:
            raise ConfigError(f"{type(self).__name__}: the period has no key 'flight'; give shield and region in mm")
        shield, region = flight.shield.value, flight.region.value

        def fate(boson: float, energy: Array, coupling: Array) -> Array:
            length = ALP(alp_mass=boson, coupling=1.0).decay_length(energy) / coupling[:, None] ** 2
            seen = np.zeros(length.shape)
            if "visible" in self.branches:
                seen += decay_inside(length, shield, region)
            if "invisible" in self.branches:
                seen += decay_behind(length, shield + region)
            return seen

        return Signal((primakoff(masses, place.beam.energy.value),), np.ones(len(masses)), fate)
