"""Charged particles at tracker planes, on straight lines."""

import numpy as np

from na64ml.setups.detectors import Tracker
from na64ml.setups.setup import Setup
from na64ml.simulation.deposits import Crossings
from na64ml.simulation.engines.library.entry import Entries
from na64ml.simulation.particles import Particles, charge


def straight_crossings(setup: Setup, particles: Particles, entries: Entries) -> Crossings:
    """Return where charged particles cross planes between their start and the detector that absorbs them."""
    forward = (charge(particles.pdg) != 0) & (particles.momentum[:, 2] > 0)
    flying, absorbed = particles.select(forward), entries.z[forward]
    planes = [plane for detector in setup.detectors if isinstance(detector, Tracker) for plane in detector.planes]
    event, number, position = [np.zeros(0, np.int64)], [np.zeros(0, np.int16)], [np.zeros((0, 2))]
    for index, plane in enumerate(planes):
        z = plane.z.value
        there = flying.at(z)
        crossed = (flying.position[:, 2] < z) & (absorbed > z)
        crossed &= (np.abs(there) < [plane.half_x.value, plane.half_y.value]).all(axis=1)
        event.append(flying.event[crossed])
        number.append(np.full(int(crossed.sum()), index, dtype=np.int16))
        position.append(there[crossed])
    events, numbers, positions = np.concatenate(event), np.concatenate(number), np.concatenate(position)
    order = np.lexsort((numbers, events))
    return Crossings(events[order], numbers[order], positions[order])
