"""Hadrons and muons of the beam, and weights of mixtures that differ from it."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from na64ml.setups.sourced import NonNegative
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.particles import properties

CONTAMINATION: Mapping[int, NonNegative] = {
    -211: NonNegative(value=3e-3, source="M-L: physics.md 1.11, beam.f_had"),
    211: NonNegative(value=3e-2, source="M-L: physics.md 1.2, positron beam, about one order above electrons"),
    -321: NonNegative(value=9e-6, source="M-L + C: physics.md 1.11, K/e tuned to the published decay background"),
    321: NonNegative(value=9e-5, source="M-L + C: physics.md 1.11, scaled to the positron beam"),
    2212: NonNegative(value=1e-2, source="M-L: physics.md 1.2, Lambda decays feed protons into the positron beam"),
    -2212: NonNegative(value=0.0, source="M-L: physics.md 1.11, antiprotons ignored"),
    13: NonNegative(value=4e-4, source="?: physics.md 1.11 f_mu, placeholder"),
    -13: NonNegative(value=4e-4, source="?: physics.md 1.11 f_mu, placeholder, taken for the positron beam too"),
}
"""Other particles per beam particle, by PDG number; the spectrometer passes those with the charge of the beam."""

HADRONS = (-211, 211, -321, 321, 2212, -2212)


def beam_sign(beamline: Beamline) -> int:
    """Return the sign of the charge of the beam."""
    return int(np.sign(float(properties(beamline.pdg).charge or 0)))


def natural_hadrons(beamline: Beamline) -> dict[int, float]:
    """Return the hadrons of the beam per particle, by PDG number, those ignored left out."""
    passed = [pdg for pdg in HADRONS if properties(pdg).charge == beam_sign(beamline)]
    return {pdg: CONTAMINATION[pdg].value for pdg in passed if CONTAMINATION[pdg].value > 0}


def mixture_weights(asked: NDArray[np.float64], natural: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight of each part of a mixture: its natural share over that asked for, ``[n_parts]``.

    The mean over the mixture is 1, so that a rate summed over all parts holds for each of them.
    """
    return np.asarray(natural / natural.sum() / (asked / asked.sum()))
