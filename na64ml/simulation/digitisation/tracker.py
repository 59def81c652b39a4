"""Hits in the projections of tracker planes: efficiency, resolution, noise."""

import awkward as ak
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from na64ml.setups.detectors import Plane
from na64ml.simulation.deposits import Crossings
from na64ml.simulation.generated import BeamTrack


def crossings_of_plane(
    plane: Plane, index: int, track: BeamTrack, downstream: Crossings
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return event and position in mm of all charged particles in a plane: the beam up to its end, then secondaries."""
    beam = track.at(plane.z.value)[:, :2]
    half = np.array([plane.half_x.value, plane.half_y.value])
    seen = np.flatnonzero((track.end_z > plane.z.value) & (np.abs(beam) < half).all(axis=1))
    later = downstream.plane == index
    return (
        np.concatenate([seen, downstream.event[later]]),
        np.concatenate([beam[seen], downstream.position[later]]),
    )


def digitise_projection(
    plane: Plane,
    half_width: float,
    event: NDArray[np.int64],
    coordinate: NDArray[np.float64],
    n_events: int,
    rng: Generator,
) -> ak.Array:
    """Return measured coordinates in mm of one projection, sorted, as a list for each event.

    Parameters
    ----------
    half_width
        Half width of the plane along the measured axis in mm; noise hits are uniform over it.
    event, coordinate
        Crossings of the plane.
    """
    found = rng.random(len(event)) < plane.efficiency.value
    mean = plane.noise_hits.value if plane.noise_hits else 0.0
    noise = np.repeat(np.arange(n_events), rng.poisson(mean, n_events))
    events = np.concatenate([event[found], noise])
    measured = np.concatenate(
        [
            rng.normal(coordinate[found], plane.sigma.value),
            rng.uniform(-half_width, half_width, len(noise)),
        ]
    )
    order = np.lexsort((measured, events))
    return ak.unflatten(measured[order].astype(np.float32), np.bincount(events, minlength=n_events))
