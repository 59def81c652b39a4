"""Transport of particles by parametrised showers."""

from collections.abc import Iterator

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray

from na64ml.setups.detectors import Calorimeter
from na64ml.setups.setup import Setup
from na64ml.simulation.deposits import Crossings, Deposits
from na64ml.simulation.engines.base import Transport
from na64ml.simulation.engines.parametric.boxes import build_boxes
from na64ml.simulation.engines.parametric.constants import Constants
from na64ml.simulation.engines.parametric.electromagnetic import Showers, deposit_showers
from na64ml.simulation.engines.parametric.hadrons import Hadrons, develop
from na64ml.simulation.engines.parametric.muons import deposit_muons
from na64ml.simulation.engines.parametric.table import Table
from na64ml.simulation.particles import Particles, charge, mass

Float = NDArray[np.float64]

CHUNK = 2000
"""Events transported at once."""

ELECTRON, PHOTON, MUON = 11, 22, 13
INVISIBLE = (12, 14, 16)
KAONS = (130, 310, 311, 321)


class ParametricTransport(Transport):
    def __init__(self, setup, radial_scale, crosstalk, energy_scale, constants):
        self._setup, self._constants = setup, constants
        self._boxes = build_boxes(setup, constants)
        self._radial_scale, self._crosstalk, self._energy_scale = radial_scale, crosstalk, energy_scale

    def run(self, particles: Particles, n_events: int, seed: SeedSequence) -> Deposits:
        rng = np.random.default_rng(seed)
        visible = {name: np.zeros((n_events, 2, len(c)), np.float32) for name, c in self._boxes.columns.items()}
        for start in range(0, n_events, CHUNK):
            stop = min(start + CHUNK, n_events)
            first, last = np.searchsorted(particles.event, [start, stop])
            table = self._table(particles.select(np.arange(first, last)), start, stop - start, rng)
            for name, columns in self._boxes.columns.items():
                visible[name][start:stop] = table[..., columns]
        return Deposits(visible, Crossings(np.zeros(0, np.int64), np.zeros(0, np.int16), np.zeros((0, 2))))

    def _table(self, particles, start, n, rng):
        c = self._constants
        table = Table(self._boxes, 2 * n)
        slot = (particles.event - start) * 2 + particles.secondary
        pdg = np.abs(particles.pdg)
        momentum = np.linalg.norm(particles.momentum, axis=1)
        direction = particles.momentum / momentum[:, None]
        kinetic = particles.kinetic_energy
        em = (pdg == ELECTRON) | (pdg == PHOTON)
        showers = [Showers(slot[em], particles.position[em], direction[em], kinetic[em], pdg[em] == PHOTON)]
        factor = np.where(np.isin(pdg, KAONS), c.kaon_cross_section.value, np.where(pdg == 211, c.pion_cross_section.value, 1.0))
        had = Hadrons(slot, particles.position, direction, kinetic, mass(particles.pdg), charge(particles.pdg) != 0, factor)
        mu = pdg == MUON
        showers.append(deposit_muons(had.select(mu), self._boxes, table, c, rng))
        rest = ~em & ~mu & ~np.isin(pdg, INVISIBLE)
        showers += develop(had.select(rest), self._boxes, table, c, rng)
        deposit_showers(Showers.join(showers), self._boxes, table, c, self._radial_scale, rng)
        return table.sums().reshape(n, 2, -1)
