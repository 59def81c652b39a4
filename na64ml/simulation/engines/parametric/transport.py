"""Transport of particles by parametrised showers."""

import numpy as np
from numpy.random import Generator, SeedSequence
from numpy.typing import NDArray

from na64ml.errors import ConfigError, InputError
from na64ml.setups.detectors import Calorimeter
from na64ml.setups.setup import Setup
from na64ml.simulation.deposits import Deposits
from na64ml.simulation.engines.base import Transport
from na64ml.simulation.engines.parametric.boxes import build_boxes
from na64ml.simulation.engines.parametric.columns import Showers
from na64ml.simulation.engines.parametric.constants import Constants
from na64ml.simulation.engines.parametric.crossings import TrackerPlanes, sorted_crossings
from na64ml.simulation.engines.parametric.electromagnetic import deposit_showers
from na64ml.simulation.engines.parametric.hadrons import deposit_hadrons
from na64ml.simulation.engines.parametric.halo import Halo
from na64ml.simulation.engines.parametric.muons import deposit_muons
from na64ml.simulation.engines.parametric.species import decayed_k0s, hadrons_of, muons_of, showers_of
from na64ml.simulation.engines.parametric.table import Table
from na64ml.simulation.particles import Particles

CHUNK = 1000
"""Events transported at once; it bounds the memory."""


class ParametricTransport(Transport):
    """The engine made ready for a setup.

    Parameters
    ----------
    setup
        The setup.
    constants
        Fitted constants.
    radial_scale, crosstalk, energy_scale
        Nuisance parameters, see `~na64ml.simulation.engines.parametric.engine.Parametric`.

    Raises
    ------
    ConfigError
        If the crosstalk takes more than all energy from a cell.
    """

    def __init__(
        self,
        setup: Setup,
        constants: Constants,
        radial_scale: float = 1.0,
        crosstalk: float = 0.0,
        energy_scale: float = 1.0,
    ) -> None:
        self._setup, self._constants = setup, constants
        self._radial_scale, self._crosstalk, self._energy_scale = radial_scale, crosstalk, energy_scale
        self._boxes = build_boxes(setup, constants)
        self._halo = Halo(self._boxes, constants)
        _, nx, ny = setup.target_calorimeter.shape
        if crosstalk * nx * ny >= 1:
            raise ConfigError(
                f"setup '{setup.name}': crosstalk {crosstalk:g} to each of the {nx * ny} cells of {setup.target} is "
                f"more than all energy; choose less than {1 / (nx * ny):.2g}"
            )

    def run(self, particles: Particles, n_events: int, seed: SeedSequence) -> Deposits:
        """Transport particles; the memory depends on the result alone.

        Raises
        ------
        InputError
            If a position or momentum is not finite.
        """
        finite = np.isfinite(particles.position).all(axis=1) & np.isfinite(particles.momentum).all(axis=1)
        if not finite.all():
            wrong = int(np.flatnonzero(~finite)[0])
            raise InputError(
                f"setup '{self._setup.name}': particle {wrong} (PDG {particles.pdg[wrong]}) has position "
                f"{particles.position[wrong].tolist()} mm and momentum {particles.momentum[wrong].tolist()} GeV; "
                "correct the process"
            )
        rng = np.random.default_rng(seed)
        columns = self._boxes.columns
        visible = {name: np.zeros((n_events, 2, len(index)), np.float32) for name, index in columns.items()}
        crossings = [TrackerPlanes(self._setup, 0).columns()]
        for start in range(0, n_events, CHUNK):
            stop = min(start + CHUNK, n_events)
            first, last = np.searchsorted(particles.event, [start, stop])
            planes = TrackerPlanes(self._setup, start)
            sums = self._deposits(particles.select(np.arange(first, last)), start, stop, planes, rng)
            for name, index in columns.items():
                visible[name][start:stop] = sums[..., index]
            crossings.append(planes.columns())
        for detector in self._setup.detectors:
            if isinstance(detector, Calorimeter):
                visible[detector.name] *= np.float32(self._energy_scale)
        visible[self._setup.target] = self._with_crosstalk(visible[self._setup.target])
        return Deposits(visible, sorted_crossings(crossings))

    def _deposits(
        self, particles: Particles, start: int, stop: int, planes: TrackerPlanes, rng: Generator
    ) -> NDArray[np.float64]:
        """Return the energy in all channels of some events, ``[n_events, 2, n_channels]``."""
        c, boxes = self._constants, self._boxes
        particles = decayed_k0s(particles, rng)
        slot = (particles.event - start) * 2 + particles.secondary
        table, halo = Table(boxes, 2 * (stop - start)), self._halo.sources(2 * (stop - start))
        showers = [
            showers_of(particles, slot),
            *deposit_muons(muons_of(particles, slot), boxes, table, planes, halo, c, rng),
            *deposit_hadrons(hadrons_of(particles, slot, c), boxes, table, planes, halo, c, rng),
        ]
        deposit_showers(Showers.join(showers), boxes, table, planes, halo, c, self._radial_scale, rng)
        self._halo.deposit(halo, table, rng)
        return table.sums().reshape(stop - start, 2, -1)

    def _with_crosstalk(self, visible: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the energy of the target with a share of each segment in all of its cells."""
        if self._crosstalk == 0:
            return visible
        segments, nx, ny = self._setup.target_calorimeter.shape
        cells = visible.reshape(len(visible), 2, segments, nx * ny)
        shared = cells * np.float32(1 - self._crosstalk * nx * ny)
        shared += np.float32(self._crosstalk) * cells.sum(axis=3, keepdims=True)
        return shared.reshape(visible.shape)
