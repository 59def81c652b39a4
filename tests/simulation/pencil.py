"""A toy engine whose showers are straight lines, which leave a share in the channel they cross in each segment."""

import numpy as np

from na64ml.setups.detectors import Calorimeter, Counter
from na64ml.simulation.deposits import Crossings, Deposits
from na64ml.simulation.engines.base import Engine, Transport

SHARES = {"VHCAL": 0.02, "ECAL": 0.1, "VETO": 0.001, "HCAL": 0.01}
"""Visible share of the kinetic energy, by detector."""

BACKWARDS = 1e-4
"""Share that goes back into the VHCAL from the ECAL, into the channel around `BACK`."""

BACK = 112.0


class Pencil(Engine):
    """Lines are looked at a quarter behind the front of each segment; holes are empty."""

    def open(self, setup):
        return _PencilTransport(setup)


class _PencilTransport(Transport):
    def __init__(self, setup):
        self.setup = setup

    def run(self, particles, n_events, seed):
        detectors = [d for d in self.setup.detectors if isinstance(d, Calorimeter | Counter)]
        visible = {d.name: np.zeros((n_events, 2, d.n_channels), np.float32) for d in detectors}
        for detector in detectors:
            position, size = detector.channels.position, detector.channels.size
            low, high = position - size / 2, position + size / 2
            z = low[:, 2] + 0.25 * size[:, 2]
            slope = particles.momentum[:, :2] / particles.momentum[:, 2:]
            z = np.maximum(z, np.minimum(particles.position[:, 2:], high[:, 2]))
            x, y = (particles.position[:, [i]] + slope[:, [i]] * (z - particles.position[:, [2]]) for i in (0, 1))
            hit = (x >= low[:, 0]) & (x < high[:, 0]) & (y >= low[:, 1]) & (y < high[:, 1])
            hit &= particles.position[:, [2]] < high[:, 2]
            hole = getattr(detector, "hole", None)
            if hole is not None:
                hit &= np.maximum(abs(x), abs(y)) > hole.value / 2
            energy = hit * (SHARES[detector.name] * particles.kinetic_energy)[:, None]
            if detector.name == "VHCAL":
                back = (low[:, :2] <= BACK).all(axis=1) & (high[:, :2] > BACK).all(axis=1)
                started = particles.position[:, [2]] > high[:, 2]
                energy += started * back * BACKWARDS * particles.kinetic_energy[:, None]
            np.add.at(visible[detector.name], (particles.event, particles.secondary.astype(int)), energy)
        return Deposits(visible, Crossings(np.zeros(0, np.int64), np.zeros(0, np.int16), np.zeros((0, 2))))
