"""Axion-like particles and scalars from photons of the shower, by the Primakoff effect (physics.md 4.5)."""

import numpy as np

from na64ml.limits.production.emission import Emission
from na64ml.limits.production.showers import shower
from na64ml.limits.production.target import TARGETS, Array
from na64ml.simulation.processes.alp import ALP


def primakoff(masses: Array, beam: float) -> Emission:
    """Return the particles made in lead, for a coupling to photons of 1 per GeV; each takes the whole photon energy.

    Parameters
    ----------
    masses
        In GeV, ``[n_masses]``.
    beam
        Energy of the beam electron in GeV.
    """
    made = shower(beam)
    rates = [
        made.photons * ALP(alp_mass=float(one), coupling=1.0).cross_section(made.energy) * TARGETS["Pb"].per_pb
        for one in masses
    ]
    energy = np.broadcast_to(made.energy, (len(masses), len(made.energy)))
    return Emission("Primakoff", energy, np.array(rates))
