"""Depths in the target, in mm and in radiation lengths, and electrons that reach them."""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from na64ml.setups.materials import radiation_lengths
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.generated import BeamTrack
from na64ml.simulation.particles import MEV, Particles, join


def z_at_depth(depth: NDArray[np.float64], beamline: Beamline) -> NDArray[np.float64]:
    """Return z in mm of depths in X0 from the front face of the target."""
    target = beamline.setup.target_calorimeter
    length = target.segments[-1].z_max - beamline.front
    return np.asarray(beamline.front + depth * length / float(radiation_lengths(target).sum()))


def electron_at_depth(
    track: BeamTrack,
    energy: NDArray[np.float64],
    depth: NDArray[np.float64],
    left: NDArray[np.float64],
    beamline: Beamline,
    rng: Generator,
) -> Particles:
    """Return what a beam electron that interacts inside the target leaves to be transported.

    Parameters
    ----------
    track
        The beam electrons.
    energy, depth
        Energy in GeV and depth in X0 of the interaction, ``[n_events]``; what was radiated before starts as one photon
        at a random depth up to there.
    left
        Energy in GeV of the electron after the interaction; electrons below 1 MeV are left out.
    """
    z = z_at_depth(depth, beamline)
    before = beamline.front + (z - beamline.front) * rng.random(len(track))
    everything, radiated = np.arange(len(track)), track.p - energy
    photons = Particles.build(everything, 22, track.at(before), np.clip(radiated, 0, None)[:, None] * track.direction)
    electrons = Particles.build(everything, track.pdg, track.at(z), np.clip(left, 0, None)[:, None] * track.direction)
    return join(electrons.select(left > MEV), photons.select(radiated > MEV))
