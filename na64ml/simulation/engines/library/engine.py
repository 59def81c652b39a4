"""Transport by frozen showers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.random import SeedSequence
from numpy.typing import NDArray
from pydantic import Field, PositiveInt, model_validator

from na64ml.errors import ConfigError
from na64ml.setups.detectors import Calorimeter, Counter
from na64ml.setups.setup import Setup
from na64ml.simulation.deposits import NO_SHOWER, Deposits
from na64ml.simulation.engines.base import Engine, Transport
from na64ml.simulation.engines.library.crossings import straight_crossings
from na64ml.simulation.engines.library.entry import MISSED, Entries, find_entries
from na64ml.simulation.engines.library.joining import read_library
from na64ml.simulation.engines.library.matching import Matcher
from na64ml.simulation.engines.library.placing import Placed, Placer
from na64ml.simulation.engines.library.store import Part, Showers, read_provenance
from na64ml.simulation.library.tiled import digest, faces, tiled_detector
from na64ml.simulation.particles import NEUTRINOS, Particles
from na64ml.yaml_files import StrictModel

CHUNK_EVENTS = 1000
"""Events composed at once, which bounds memory and keeps it near the processor."""


class Pool(StrictModel):
    """A part of a library: showers whose id leaves the remainder ``use`` when divided by ``of``.

    Parameters
    ----------
    of
        Number of pools.
    use
        Which one, from 0.
    """

    of: PositiveInt
    use: int = Field(ge=0)

    @model_validator(mode="after")
    def _exists(self) -> "Pool":
        if self.use >= self.of:
            raise ValueError(f"use: {self.use}; of {self.of} pools the last is {self.of - 1}")
        return self


class Library(Engine):
    """Frozen showers of a library, moved, mirrored and scaled to each particle.

    A particle flies on a straight line to the first detector that it enters, and is replaced by a shower of its species
    that entered there, or started inside at a similar depth, with a similar energy and place. It is moved to the line
    of the particle; detectors upstream keep what is scattered back where it is. Neutrinos and particles that enter
    nothing leave nothing.

    Parameters
    ----------
    path
        ROOT file made by ``na64ml simulate --library``, or several that are used together.
    pool
        Part of the library to use, so that samples for training and testing share no shower. Default: all of it.
    max_scale
        Largest factor, up or down, by which energies of a shower are scaled. Showers within 12 % are preferred, so it
        matters for rare species only. Particles below the lowest energy of the library get its lowest showers,
        whatever the factor.
    """

    path: Path | Annotated[tuple[Path, ...], Field(min_length=1)]
    pool: Pool | None = None
    max_scale: float = Field(default=2.0, gt=1, le=4)

    def open(self, setup: Setup) -> Transport:
        """Read the library.

        Raises
        ------
        ConfigError
            If there is no library, or it was made for other detectors.
        InputError
            If the file is damaged.
        """
        showers = read_library(self._paths)
        for part in showers.parts:
            _check_detectors(setup, part)
        used = np.ones(len(showers.shower), dtype=bool)
        if self.pool is not None:
            used = showers.shower % self.pool.of == self.pool.use
        return _LibraryTransport(setup, showers, used, self.max_scale)

    def provenance(self) -> dict[str, Any]:
        """Return the content hash of each file of the library, and its recipe."""
        names = ("content_hash", "recipe_hash", "recipe", "versions")
        made = [read_provenance(path) for path in self._paths]
        return {"libraries": [{name: one[name] for name in names} for one in made]}

    @property
    def _paths(self) -> tuple[Path, ...]:
        return (self.path,) if isinstance(self.path, Path) else self.path


class _LibraryTransport(Transport):
    def __init__(self, setup: Setup, showers: Showers, used: NDArray[np.bool_], max_scale: float) -> None:
        self._setup, self._showers = setup, showers
        self._detectors = tuple(tiled_detector(setup, name) for name in showers.detectors)
        self._fronts = np.array([faces(detector)[0] for detector in self._detectors])
        self._matcher = Matcher(showers, used, self._detectors, max_scale)
        self._placers = [Placer(one, showers.tiles[one.name]) for one in self._detectors]

    def run(self, particles: Particles, n_events: int, seed: SeedSequence) -> Deposits:
        """Compose events of showers.

        Raises
        ------
        InputError
            If the library has no shower for a particle.
        """
        rng = np.random.default_rng(seed)
        visible = {
            detector.name: np.zeros((n_events, 2, detector.n_channels), dtype=np.float32)
            for detector in self._setup.detectors
            if isinstance(detector, Calorimeter | Counter)
        }
        seen = particles.select(~np.isin(particles.pdg, NEUTRINOS))
        entries = find_entries(seen, self._detectors)
        leading = np.full(n_events, NO_SHOWER, dtype=np.int64)
        hit = np.flatnonzero(entries.detector != MISSED)
        for first, last, which in _chunks(seen.event[hit], n_events):
            chosen = hit[which]
            some, where = seen.select(chosen), entries.select(chosen)
            placed = self._placed(some, where, first, rng)
            _note_leading(leading, some, self._showers.shower[placed.shower])
            order = np.argsort(placed.operation, kind="stable")
            ordered = placed.select(order)
            for index, (detector, placer) in enumerate(zip(self._detectors, self._placers, strict=True)):
                moved = ordered.moving(self._fronts[index] >= self._fronts[where.detector[order]])
                sums = placer.place(moved, 2 * (last - first))
                visible[detector.name][first:last] = sums.reshape(last - first, 2, -1)
        return Deposits(visible, straight_crossings(self._setup, seen, entries), leading)

    def _placed(self, particles: Particles, entries: Entries, first_event: int, rng: np.random.Generator) -> Placed:
        """Return the shower of each particle and how it is turned."""
        matches = self._matcher.match(particles, entries, rng)
        return Placed(
            shower=matches.shower,
            slot=2 * (particles.event - first_event) + particles.secondary,
            scale=matches.scale.astype(np.float32),
            operation=matches.operation,
            moved=np.ones(len(particles), dtype=bool),
            impact=self._showers.impact[matches.shower],
            start=entries.start,
            slope=entries.slope,
        )


def _note_leading(leading: NDArray[np.int64], particles: Particles, shower: NDArray[np.int64]) -> None:
    """Write the shower of the particle of highest energy of each event."""
    rising = np.argsort(particles.kinetic_energy, kind="stable")
    leading[particles.event[rising]] = shower[rising]


def _chunks(event: NDArray[np.int64], n_events: int) -> Iterator[tuple[int, int, slice]]:
    """Yield first and last event of chunks, and the slice of their particles; ``event`` is sorted."""
    for first in range(0, n_events, CHUNK_EVENTS):
        last = min(first + CHUNK_EVENTS, n_events)
        low, high = np.searchsorted(event, [first, last])
        if high > low:
            yield first, last, slice(int(low), int(high))


def _check_detectors(setup: Setup, part: Part) -> None:
    """Check that a file was made for the detectors of a setup, whatever its trackers and readout.

    Raises
    ------
    ConfigError
        If not; it says which differ.
    """
    made = part.provenance["detectors"]
    here = {d.name: digest(d) for d in setup.detectors if isinstance(d, Calorimeter | Counter)}
    differing = [name for name in made if name in here and made[name] != here[name]]
    absent = [name for name in made if name not in here]
    missing = [name for name in here if name not in made]
    problems = [
        f"{text} {', '.join(names)}"
        for text, names in (("it differs in", differing), ("the setup lacks", absent), ("the library lacks", missing))
        if names
    ]
    if problems:
        raise ConfigError(
            f"{part.path}: made for other detectors than those of setup '{setup.name}' (geometry "
            f"{part.provenance['geometry_hash']} and {setup.geometry_hash}): {'; '.join(problems)}; make a library "
            "for this setup with: na64ml simulate --library"
        )
