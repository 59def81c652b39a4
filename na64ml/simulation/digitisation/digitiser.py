"""All columns of simulated events, in the style of a reconstructed tree."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
from numpy.random import Generator, SeedSequence
from numpy.typing import NDArray

from na64ml.errors import ConfigError
from na64ml.setups.conditions import Conditions
from na64ml.setups.detectors import SRD, Calorimeter, Counter, Plane, Tracker
from na64ml.setups.digitisation import Digitisation
from na64ml.setups.setup import Setup
from na64ml.simulation.deposits import NO_SHOWER, Deposits
from na64ml.simulation.digitisation.calorimeter import digitise_cells, digitise_times
from na64ml.simulation.digitisation.srd import digitise_modules
from na64ml.simulation.digitisation.track import digitise_track
from na64ml.simulation.digitisation.tracker import crossings_of_plane, digitise_projection
from na64ml.simulation.generated import GeneratedEvents
from na64ml.yaml_files import validate

MM_PER_M = 1000.0

TABLES = {"calorimeter": "calorimeters", "counter": "counters", "srd": "srd"}
"""Key of the digitisation by kind of detector."""

Columns = dict[str, Any]
"""Branches by name: numpy ``[n_events, ...]``, or awkward lists ``[n_events, var]``."""


@dataclass(frozen=True, eq=False)
class SecondParticles:
    """Pile-up: a second beam particle in some events.

    Parameters
    ----------
    event
        int64 ``[k]``: the event it falls into; at most one for each event.
    dt
        float64 ``[k]``: its time offset in ns.
    generated, deposits
        The ``k`` particles and their deposits.
    """

    event: NDArray[np.int64]
    dt: NDArray[np.float64]
    generated: GeneratedEvents
    deposits: Deposits


class Digitiser:
    """The readout of one run.

    Parameters
    ----------
    setup
        The setup.
    conditions
        Its conditions; they say which channels are dead, and the beam energy of the run.
    digitisation
        Parameters of the readout.
    run
        Run number.
    seed
        Of gain errors and dead channels, which are the same for all events of a file.

    Raises
    ------
    ConfigError
        If a detector of the setup has no readout, or a plane to be shifted is not there.
    """

    def __init__(
        self, setup: Setup, conditions: Conditions, digitisation: Digitisation, run: int, seed: SeedSequence
    ) -> None:
        self._setup, self._digitisation = setup, digitisation
        self._nominal = conditions.for_run(run).nominal_energy(setup)
        self._dead = {d.name: conditions.dead_mask(setup, d.name, run) for d in setup.detectors}
        rng = np.random.default_rng(seed)
        self._gains: dict[str, NDArray[np.float64]] = {}
        for detector in setup.detectors:
            self._check(detector.name, detector.kind)
            if isinstance(detector, Calorimeter):
                spread = digitisation.calorimeters[detector.name].gain_spread.value
                self._gains[detector.name] = rng.normal(1.0, spread, detector.n_channels)
        for detector in setup.detectors:
            if share := self._dead_share(detector.name, detector.kind):
                self._dead[detector.name] = self._dead[detector.name] | (rng.random(detector.n_channels) < share)
        self._planes = [self._shifted(p) for d in setup.detectors if isinstance(d, Tracker) for p in d.planes]
        unknown = sorted(set(digitisation.planes) - {plane.name for plane in self._planes})
        if unknown:
            raise ConfigError(
                f"digitisation: setup '{setup.name}' has no tracker plane {', '.join(unknown)} to be shifted; there "
                f"are {', '.join(plane.name for plane in self._planes)}"
            )

    def digitise(
        self, generated: GeneratedEvents, deposits: Deposits, second: SecondParticles | None, rng: Generator
    ) -> Columns:
        """Return the measured values and the truth of each event."""
        columns: Columns = {}
        second = second if second is not None and len(second.event) else None
        for detector in self._setup.detectors:
            if isinstance(detector, Calorimeter):
                columns |= self._calorimeter(detector, deposits, second, rng)
            elif isinstance(detector, Counter):
                columns |= self._counter(detector, deposits, second, rng)
            elif isinstance(detector, SRD):
                columns |= self._srd(detector, generated, second, rng)
        columns |= self._trackers(generated, deposits, second, rng)
        nominal, forced = self._nominal, generated.truth["momentum_forced"]
        scale = nominal / self._setup.beam.energy.value
        columns |= digitise_track(generated.track, nominal, scale, forced, self._digitisation.track, rng)
        return columns | self._truth(generated, deposits, second)

    def _calorimeter(
        self, detector: Calorimeter, deposits: Deposits, second: SecondParticles | None, rng: Generator
    ) -> Columns:
        readout = self._digitisation.calorimeters[detector.name]
        visible = deposits.visible[detector.name].sum(axis=1, dtype=np.float64)
        delay = np.zeros_like(visible)
        if second is not None:
            share = self._share(second)[:, None]
            late = second.deposits.visible[detector.name].sum(axis=1, dtype=np.float64) * share
            visible[second.event] += late
            total = visible[second.event]
            moment = late * second.dt[:, None]
            delay[second.event] = np.divide(moment, total, out=np.zeros_like(late), where=total > 0)
        gains, dead = self._gains[detector.name], self._dead[detector.name]
        energy = digitise_cells(visible, detector.shape[0], readout, gains, dead, rng)
        shape = (len(energy), *(size for i, size in enumerate(detector.shape) if i > 0 or size > 1))
        columns = {f"{detector.name}_ene": energy.reshape(shape)}
        if readout.time_sigma is not None:
            columns[f"{detector.name}_t0"] = digitise_times(energy, delay, readout, rng).reshape(shape)
        return columns

    def _counter(
        self, detector: Counter, deposits: Deposits, second: SecondParticles | None, rng: Generator
    ) -> Columns:
        readout = self._digitisation.counters[detector.name]
        energy = deposits.visible[detector.name].sum(axis=1, dtype=np.float64)
        if second is not None:
            late = second.deposits.visible[detector.name].sum(axis=1, dtype=np.float64)
            energy[second.event] += late * self._share(second)[:, None]
        energy *= detector.share.value if detector.share else 1.0
        energy *= rng.normal(1.0, readout.resolution.value, energy.shape)
        energy += rng.normal(0.0, readout.noise.value, energy.shape)
        energy[(energy <= readout.threshold.value) | self._dead[detector.name]] = 0.0
        return {f"{detector.name}_ene": energy.astype(np.float32)}

    def _srd(
        self, detector: SRD, generated: GeneratedEvents, second: SecondParticles | None, rng: Generator
    ) -> Columns:
        readout, reference = self._digitisation.srd[detector.name], self._setup.beam.energy.value
        first = _radiating(generated, self._nominal)
        energy = digitise_modules(first, reference, detector.n_channels, readout, rng)
        if second is not None:
            other = _radiating(second.generated, self._nominal)
            late = digitise_modules(other, reference, detector.n_channels, readout, rng)
            energy[second.event] += late * self._share(second)[:, None]
        energy += rng.normal(0.0, readout.noise.value, energy.shape)
        energy[:, self._dead[detector.name]] = 0.0
        return {f"{detector.name}_ene": np.clip(energy, 0.0, None).astype(np.float32)}

    def _trackers(
        self, generated: GeneratedEvents, deposits: Deposits, second: SecondParticles | None, rng: Generator
    ) -> Columns:
        columns: Columns = {}
        for index, plane in enumerate(self._planes):
            event, position = crossings_of_plane(plane, index, generated.track, deposits.crossings)
            if second is not None:
                late, where = crossings_of_plane(plane, index, second.generated.track, second.deposits.crossings)
                inside = rng.random(len(late)) < self._share(second)[late]
                event = np.concatenate([event, second.event[late[inside]]])
                position = np.concatenate([position, where[inside]])
            for axis, (letter, half) in enumerate((("X", plane.half_x.value), ("Y", plane.half_y.value))):
                columns[f"{plane.name}{letter}"] = digitise_projection(
                    plane, half, event, position[:, axis], len(generated), rng
                )
        return columns

    def _truth(self, generated: GeneratedEvents, deposits: Deposits, second: SecondParticles | None) -> Columns:
        n_events, truth = len(generated), generated.truth
        pileup, dt = np.zeros(n_events, dtype=np.bool_), np.zeros(n_events, dtype=np.float32)
        if second is not None:
            pileup[second.event], dt[second.event] = True, second.dt
        particles = generated.particles
        counts = np.bincount(particles.event, minlength=n_events)
        lists = {"pdg": particles.pdg, "energy": particles.energy.astype(np.float32)}
        lists |= {f"p{axis}": particles.momentum[:, i].astype(np.float32) for i, axis in enumerate("xyz")}
        return {
            "mc_weight": generated.weight.astype(np.float32),
            "mc_mass": truth["mass"].astype(np.float32),
            "mc_invisible_energy": truth["invisible_energy"].astype(np.float32),
            "mc_vertex_z": (truth["vertex_z"] / MM_PER_M).astype(np.float32),
            "mc_parent_pdg": truth["parent_pdg"].astype(np.int32),
            "mc_pileup": pileup,
            "mc_pileup_dt": dt,
            "mc_srd_forced": truth["srd_forced"].astype(np.bool_),
            "mc_shower_id": np.full(n_events, NO_SHOWER) if deposits.shower is None else deposits.shower,
            **self._noise_free(deposits),
            **{f"mc_{name}": ak.unflatten(values, counts) for name, values in lists.items()},
        }

    def _noise_free(self, deposits: Deposits) -> Columns:
        """Return the true energy of each detector in GeV, of all particles and of the beam particle."""
        columns: Columns = {}
        for detector in self._setup.detectors:
            if not isinstance(detector, Calorimeter | Counter):
                continue
            scale = 1.0
            visible = deposits.visible[detector.name].astype(np.float64)
            if isinstance(detector, Calorimeter):
                scale = 1 / self._digitisation.calorimeters[detector.name].sampling.value
            else:
                scale = detector.share.value if detector.share else 1.0
            name = f"mc_edep_{detector.name.lower()}"
            columns[name] = (visible.sum(axis=(1, 2)) * scale).astype(np.float32)
            columns[f"{name}_beam"] = (visible[:, 0].sum(axis=1) * scale).astype(np.float32)
        return columns

    def _share(self, second: SecondParticles) -> NDArray[np.float64]:
        """Return the share of each second particle that is inside the gate (card: falls linearly to zero)."""
        return np.clip(1 - np.abs(second.dt) / self._digitisation.gate.value, 0.0, 1.0)

    def _shifted(self, plane: Plane) -> Plane:
        shifts = self._digitisation.planes.get(plane.name)
        if shifts is None:
            return plane
        noise = plane.noise_hits.value if plane.noise_hits else 0.0
        changed = {
            "efficiency": shifts.efficiency.of(plane.efficiency.value),
            "sigma": shifts.sigma.of(plane.sigma.value),
            "noise_hits": shifts.noise_hits.of(noise),
        }
        content = {key: {"value": value, "source": "?: shifted"} for key, value in changed.items()}
        return validate(Plane, plane.model_dump(mode="json") | content, Path(f"shifts of {plane.name}"))

    def _dead_share(self, name: str, kind: str) -> float:
        table = TABLES.get(kind)
        dead = getattr(self._digitisation, table)[name].dead if table else None
        return dead.value if dead else 0.0

    def _check(self, name: str, kind: str) -> None:
        table = TABLES.get(kind)
        if table and name not in getattr(self._digitisation, table):
            raise ConfigError(
                f"digitisation: key '{table}': no readout for {name} of setup '{self._setup.name}'; add it to the "
                "digitisation that the conditions name"
            )


def _radiating(generated: GeneratedEvents, nominal: float) -> NDArray[np.float64]:
    """Return the energy of the radiating electron in GeV; a forced SRD sees one of the nominal energy."""
    own = np.where(np.abs(generated.track.pdg) == 11, generated.track.p, 0.0)
    return np.where(generated.truth["srd_forced"], nominal, own)
