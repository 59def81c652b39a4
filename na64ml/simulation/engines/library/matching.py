"""Choosing a frozen shower for each particle: same species and entry, near in energy, place and depth."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from na64ml.errors import InputError
from na64ml.setups.detectors import Calorimeter
from na64ml.simulation.engines.library.entry import Entries
from na64ml.simulation.engines.library.store import Showers
from na64ml.simulation.engines.library.symmetry import fold, inverse_after
from na64ml.simulation.library.recipe import ShowerEntry
from na64ml.simulation.library.tiled import Tiled, bounds
from na64ml.simulation.particles import Particles, properties

STAND_INS = {-11: 11, 11: -11}
"""Species whose showers stand in for those that a library lacks: positrons and electrons shower alike."""

MUONS = (13, -13)
"""Their energies are not scaled: what they leave hardly depends on their energy."""

WINDOW = 0.12
"""Showers within this difference in ln E are as good as each other."""

ENOUGH = 12
"""Where fewer showers are in the window, it is widened until they are this many, or to the largest scale."""

TRIALS = 32
"""Showers drawn in the window, of which the nearest in place and depth is taken."""

NARROW, NARROW_TRIALS = (11, -11, 22), 96
"""Species whose showers are narrow, so that the place inside a cell matters most, and the showers drawn for them."""

COARSE = 3.0
"""What it costs a narrow shower to be in tiles twice as wide as the smallest ones of its kind."""

FEWEST = 5
"""Showers of a species and entry that a pool must have."""

MOVE_SCALE, REST_SCALE, DEPTH_SCALE = 20.0, 0.4, 0.02
"""Differences that count alike: a move in mm; in mm what whole tiles leave of it, by which the shower is misplaced; and
in depth as a share of the detector's depth."""

SAME = 1e-6
"""Lengths in mm that differ by less are the same."""

TINY = 1e-12
"""Energy in GeV below which particles are at rest."""

MAX_DEPTH = 0.1
"""How far beyond the depths of the library a particle may start, as a share of the detector's depth."""


@dataclass(frozen=True, eq=False)
class Matches:
    """The shower of each particle: its index, the factor of its energies, and how it is turned, ``[n]``."""

    shower: NDArray[np.int64]
    scale: NDArray[np.float64]
    operation: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _Group:
    """Showers of one species that enter one detector, from outside or anywhere; sorted by energy.

    The highest energy and the depths are those between which the recipes have them; places are folded. The width of
    tiles is one number where all are the same.
    """

    name: str
    narrow: bool
    highest: float
    depths: tuple[float, float]
    shower: NDArray[np.int64]
    log_energy: NDArray[np.float64]
    place: NDArray[np.float32]
    depth: NDArray[np.float32]
    width: NDArray[np.float32]


class Matcher:
    """Finds showers.

    Parameters
    ----------
    showers
        The library.
    used
        Which of its showers may be used, ``[n_showers]``.
    detectors
        The detectors of the setup, in the order of the library.
    max_scale
        Largest ratio of the energies of particle and shower, and inverse of the smallest.
    """

    def __init__(
        self, showers: Showers, used: NDArray[np.bool_], detectors: tuple[Tiled, ...], max_scale: float
    ) -> None:
        self._showers, self._used, self._max_scale = showers, used, max_scale
        corners = np.array([bounds(detector) for detector in detectors])
        self._depths = corners[:, 1, 2] - corners[:, 0, 2]
        self._centres = corners.mean(axis=1)[:, :2]
        sides = (corners[:, 1] - corners[:, 0])[:, :2]
        self._square = np.abs(sides[:, 0] - sides[:, 1]) < SAME
        self._hollow = np.array([isinstance(one, Calorimeter) and one.hole is not None for one in detectors])
        self._folded, self._turned = self._fold(showers.impact, showers.entry)
        self._groups: dict[tuple[int, int, bool], _Group] = {}

    def match(self, particles: Particles, entries: Entries, rng: Generator) -> Matches:
        """Return the shower of each particle.

        Parameters
        ----------
        particles
            The particles, all of which enter a detector.
        entries
            Where they do.
        rng
            Random numbers.

        Raises
        ------
        InputError
            If the library has no shower for a particle.
        """
        shower, scale = np.zeros(len(particles), dtype=np.int64), np.ones(len(particles))
        place, turned = self._fold(entries.at(entries.z), entries.detector)
        energy, depth = particles.kinetic_energy, entries.depth
        for key, which in _by_kind(particles.pdg, entries.detector, depth > 0):
            group = self._group(*key)
            self._check(group, key[1], energy[which], depth[which])
            chosen = self._choose(
                group, key[1], np.log(np.maximum(energy[which], TINY)), depth[which], place[which], rng
            )
            shower[which] = group.shower[chosen]
            if key[0] not in MUONS:
                scale[which] = energy[which] / np.exp(group.log_energy[chosen])
        return Matches(shower, scale, inverse_after(self._turned[shower], turned))

    def _fold(
        self, place: NDArray[np.float64], detector: NDArray[np.integer[Any]]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return places in mm from the middle of a detector, folded by its symmetries, and the operation."""
        return fold(place - self._centres[detector], np.ones(len(place), dtype=bool), self._square[detector])

    def _choose(
        self,
        group: _Group,
        detector: int,
        log_energy: NDArray[np.float64],
        depth: NDArray[np.float64],
        place: NDArray[np.float64],
        rng: Generator,
    ) -> NDArray[np.int64]:
        """Return indices into the group."""
        first, last = self._windows(group, log_energy)
        trials = NARROW_TRIALS if group.narrow else TRIALS
        # A window with few showers is gone through, a larger one is sampled.
        number = np.minimum(last - first, trials)
        trial = first[:, None] + np.arange(trials) % np.maximum(number, 1)[:, None]
        sampled = last - first > trials
        drawn = (rng.random((int(sampled.sum()), trials)) * (last - first)[sampled, None]).astype(np.int64)
        trial[sampled] = first[sampled, None] + drawn
        cost = rng.random(trial.shape, dtype=np.float32)  # so that equally good ones take turns
        width = group.width[trial] if group.width.ndim else group.width
        if group.narrow and group.width.ndim:
            cost += np.float32(COARSE) * (width / group.width.min() - 1)
        for axis in (0, 1):
            move = group.place[axis][trial] - place[:, [axis]].astype(np.float32)
            cost += (move / np.float32(MOVE_SCALE)) ** 2
            if not self._hollow[detector]:  # where showers are made everywhere, none is moved far
                cost += ((move - np.round(move / width) * width) / np.float32(REST_SCALE)) ** 2
        if group.depths[1] > 0:
            scale = np.float32(DEPTH_SCALE * self._depths[detector])
            cost += ((group.depth[trial] - depth[:, None].astype(np.float32)) / scale) ** 2
        return np.asarray(np.take_along_axis(trial, cost.argmin(axis=1)[:, None], axis=1)[:, 0])

    def _windows(self, group: _Group, log_energy: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the first shower and the one behind the last that are near enough in energy."""
        energies, limit = group.log_energy, np.log(self._max_scale)
        wanted = np.maximum(log_energy, energies[0])
        first, last = (np.searchsorted(energies, wanted + side * min(WINDOW, limit)) for side in (-1, 1))
        middle = np.searchsorted(energies, wanted)
        few = last - first < ENOUGH
        lowest = np.searchsorted(energies, wanted - limit)
        highest = np.searchsorted(energies, wanted + limit, side="right")
        first = np.where(few, np.maximum(np.minimum(first, middle - ENOUGH // 2), lowest), first)
        last = np.where(few, np.minimum(np.maximum(last, middle + ENOUGH // 2), highest), last)
        empty = first >= last
        if empty.any():
            wrong = float(np.exp(wanted[empty][0]))
            raise InputError(
                f"{self._showers.name}: no shower of {group.name} within a factor {self._max_scale:g} of {wrong:.4g} "
                "GeV; make a larger library, use fewer pools, or raise max_scale"
            )
        return first, last

    def _check(self, group: _Group, detector: int, energy: NDArray[np.float64], depth: NDArray[np.float64]) -> None:
        if (too_high := energy > group.highest * self._max_scale).any():
            raise InputError(
                f"{self._showers.name}: a particle has {energy[too_high].max():.4g} GeV, but showers of {group.name} "
                f"go up to {group.highest:g} GeV; make a library with 'energy' up to there"
            )
        first, last = group.depths
        margin = MAX_DEPTH * self._depths[detector]
        outside = (depth > last + margin) | (depth < first - margin)
        if outside.any():
            raise InputError(
                f"{self._showers.name}: a particle starts {depth[outside][0]:.0f} mm inside, but showers of "
                f"{group.name} start at {first:g} to {last:g} mm; make a library with 'depth' up to there"
            )

    def _group(self, pdg: int, detector: int, inside: bool) -> _Group:
        key = pdg, detector, inside
        if key not in self._groups:
            self._groups[key] = self._make_group(*key)
        return self._groups[key]

    def _make_group(self, pdg: int, detector: int, inside: bool) -> _Group:
        showers, entry = self._showers, self._showers.detectors[detector]
        candidates = [pdg, STAND_INS[pdg]] if pdg in STAND_INS else [pdg]
        species = next((one for one in candidates if self._made(one, entry, inside)), pdg)
        made = self._made(species, entry, inside)
        where = "inside" if inside else "in front of"
        name = f"{properties(species).name} (PDG number {species}) that start {where} {entry}"
        if not made:
            depth = ", depth: [0, ...]" if inside else ""
            raise InputError(
                f"{showers.name}: no showers of {name}; make a library with "
                f"'{{species: {species}, entry: {entry}{depth}, count: ...}}', or let the process decay the particle"
            )
        here = (showers.entry == detector) & (inside | (showers.depth == 0)) & (showers.pdg == species)
        chosen = np.flatnonzero(here & self._used)
        if len(chosen) < FEWEST:
            raise InputError(
                f"{showers.name}: only {len(chosen)} showers of {name} may be used, {FEWEST} are needed; use fewer "
                "pools or make a larger library"
            )
        order = chosen[np.argsort(showers.kinetic_energy[chosen], kind="stable")]
        width = showers.widths[showers.part[order], detector]
        return _Group(
            name=name,
            narrow=species in NARROW,
            highest=max(showers.parts[part].recipe.energy_of(one)[1] for part, one in made),
            depths=(min(one.depth[0] for _, one in made), max(one.depth[1] for _, one in made)),
            shower=order,
            log_energy=np.log(showers.kinetic_energy[order]),
            place=np.ascontiguousarray(self._folded[order].T, dtype=np.float32),
            depth=showers.depth[order].astype(np.float32),
            width=width if len(np.unique(width)) > 1 else width[0],
        )

    def _made(self, pdg: int, entry: str, inside: bool) -> list[tuple[int, ShowerEntry]]:
        """Return the entries of recipes that make such showers, with the index of the file.

        None of a file that start inside if all of its start in front.
        """
        found = []
        for part, file in enumerate(self._showers.parts):
            made = [(part, one) for one in file.recipe.showers if (one.species, one.entry) == (pdg, entry)]
            if not inside:
                found += [pair for pair in made if pair[1].depth[1] == 0]
            elif any(one.depth[1] > 0 for _, one in made):
                found += made
        return found


def _by_kind(
    pdg: NDArray[np.int32], detector: NDArray[np.int64], inside: NDArray[np.bool_]
) -> Iterator[tuple[tuple[int, int, bool], NDArray[np.int64]]]:
    """Yield species, detector and whether inside it, with the indices of its particles."""
    if not len(pdg):
        return
    code = (pdg.astype(np.int64) * 64 + detector) * 2 + inside
    order = np.argsort(code, kind="stable")
    for which in np.split(order, np.flatnonzero(np.diff(code[order])) + 1):
        one = which[0]
        yield (int(pdg[one]), int(detector[one]), bool(inside[one])), which
