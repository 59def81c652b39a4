"""A toy engine for tests of recipes and runners: fast, and it can be told to fail."""

import os
import signal
from pathlib import Path

import numpy as np

from na64ml.simulation.deposits import Crossings, Deposits
from na64ml.simulation.engines.base import Engine, Transport


class Toy(Engine):
    """Puts the energy of every particle into one cell of the ECAL, with a random scale.

    ``kill`` names a file: the first worker that finds it deletes it and dies.
    """

    kill: str | None = None

    def open(self, setup):
        return _ToyTransport(setup, self.kill)


class _ToyTransport(Transport):
    def __init__(self, setup, kill):
        self.setup, self.kill = setup, kill

    def run(self, particles, n_events, seed):
        if self.kill and Path(self.kill).exists():
            Path(self.kill).unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        visible = {
            d.name: np.zeros((n_events, 2, d.n_channels), np.float32)
            for d in self.setup.detectors
            if d.kind in ("calorimeter", "counter")
        }
        scale = np.random.default_rng(seed).normal(0.11, 0.002, n_events)
        energy = np.bincount(particles.event, particles.energy, minlength=n_events)
        visible["ECAL"][:, 0, 57] = scale * energy
        return Deposits(visible, Crossings(np.zeros(0, np.int64), np.zeros(0, np.int16), np.zeros((0, 2))))
