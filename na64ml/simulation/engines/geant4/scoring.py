"""From energy deposits and crossings in volumes to channels of the setup."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from na64ml.setups.detectors import Calorimeter, Counter, Tracker
from na64ml.setups.setup import Setup
from na64ml.simulation.deposits import Crossings, Deposits
from na64ml.simulation.engines.geant4.geometry import CM, distinct_elements, element_name, plane_name, segment_name
from na64ml.simulation.particles import MEV, Particles, charge


class Scoring:
    """Adds up what each run of Geant4 returns.

    Parameters
    ----------
    setup
        The setup.
    n_events
        Number of events.
    """

    def __init__(self, setup: Setup, n_events: int) -> None:
        self._setup, self._n_events = setup, n_events
        self._visible = {
            detector.name: np.zeros((n_events * 2, detector.n_channels))
            for detector in setup.detectors
            if isinstance(detector, Calorimeter | Counter)
        }
        self._crossings: list[tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.float64]]] = []

    def add(self, result: Any, particles: Particles) -> None:
        """Add the deposits and crossings of one run; Geant4's events are the rows of ``particles``."""
        slot = particles.event * 2 + particles.secondary
        by_volume: dict[str, list[str]] = {}
        for path in result.deposits or {}:
            by_volume.setdefault(path.split(".")[1], []).append(path)
        for detector in self._setup.detectors:
            if isinstance(detector, Calorimeter):
                for index in range(len(detector.segments)):
                    for path in by_volume.get(segment_name(detector, index), ()):
                        self._add_cells(detector, index, result.deposits[path], slot)
            elif isinstance(detector, Counter):
                for index in distinct_elements(detector):
                    for path in by_volume.get(element_name(detector, index), ()):
                        self._add_element(detector, index, result.deposits[path], slot)
        self._add_crossings(result.particles or {}, particles)

    def deposits(self) -> Deposits:
        """Return the sums."""
        shape = (self._n_events, 2, -1)
        visible = {name: values.reshape(shape).astype(np.float32) for name, values in self._visible.items()}
        if not self._crossings:
            return Deposits(visible, Crossings(np.zeros(0, np.int64), np.zeros(0, np.int16), np.zeros((0, 2))))
        event, plane, position = (np.concatenate(column) for column in zip(*self._crossings, strict=True))
        order = np.lexsort((plane, event))
        return Deposits(visible, Crossings(event[order], plane[order], position[order]))

    def _add_cells(self, detector: Calorimeter, segment: int, deposit: Any, slot: NDArray[np.int64]) -> None:
        row, position, energy = _flat(deposit)
        cells, widths = np.array(detector.cells.value), np.array(detector.cell_size.value)
        corner = np.array(detector.segment_centre(segment)) - cells * widths / 2
        cell = np.clip(((position - corner) // widths).astype(np.int64), 0, cells - 1)
        channel = (segment * cells[0] + cell[:, 0]) * cells[1] + cell[:, 1]
        self._add(detector.name, slot[row], channel, energy)

    def _add_element(self, detector: Counter, index: int, deposit: Any, slot: NDArray[np.int64]) -> None:
        row, _, energy = _flat(deposit)
        place = np.column_stack([detector.channels.position, detector.channels.size])
        for channel in np.flatnonzero((place == place[index]).all(axis=1)):
            self._add(detector.name, slot[row], np.full(len(row), channel), energy)

    def _add(self, name: str, slot: NDArray[np.int64], channel: NDArray[np.int64], energy: NDArray[np.float64]) -> None:
        table = self._visible[name]
        flat = np.bincount(slot * table.shape[1] + channel, weights=energy, minlength=table.size)
        table += flat.reshape(table.shape) * MEV

    def _add_crossings(self, found: Mapping[str, Any], particles: Particles) -> None:
        plane = 0
        for detector in self._setup.detectors:
            if not isinstance(detector, Tracker):
                continue
            for index in range(len(detector.planes)):
                crossed = found.get(f"World.{plane_name(detector, index)}")
                if crossed is not None and len(crossed):
                    forward = crossed["direction"][:, 2] > 0
                    crossed = crossed[forward & (_charge(crossed["pid"]) != 0)]
                    event = particles.event[crossed["event"].astype(np.int64)]
                    position = crossed["position"][:, :2] / CM
                    self._crossings.append((event, np.full(len(event), plane, dtype=np.int16), position))
                plane += 1


def _flat(deposit: Any) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return event, transverse position in mm and energy in MeV of steps (at their middle) and points."""
    line, point = deposit.line, deposit.point
    row = np.concatenate([line["event"], point["event"]]).astype(np.int64)
    middle = (line["start"][:, :2] + line["end"][:, :2]) / 2
    position = np.concatenate([middle, point["position"][:, :2]]) / CM
    return row, position, np.concatenate([line["value"], point["value"]])


def _charge(pdg: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the charge; nuclear fragments count as charged."""
    nucleus = np.abs(pdg) > 1_000_000_000
    return np.where(nucleus, 1.0, charge(np.where(nucleus, 22, pdg)))
