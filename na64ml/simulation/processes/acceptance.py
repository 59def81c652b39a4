"""Bias towards events whose secondaries miss the hadron calorimeter."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from na64ml.errors import ConfigError
from na64ml.setups.detectors import Calorimeter
from na64ml.setups.setup import Setup
from na64ml.simulation.generated import GeneratedEvents, join_events
from na64ml.simulation.particles import Particles

MAX_ROUNDS = 200
"""Rounds of candidates after which a corner counts as unreachable."""


def misses(setup: Setup, particles: Particles, n_events: int, detector: str = "HCAL") -> NDArray[np.bool_]:
    """Return the events of which no secondary flies into the front face of a calorimeter, ``[n_events]``."""
    calorimeter = setup.detector(detector)
    if not isinstance(calorimeter, Calorimeter):
        raise ConfigError(f"setup '{setup.name}': {detector} is no calorimeter; name the one to be missed")
    half, centre = np.array(calorimeter.width) / 2, np.array(calorimeter.segment_centre(0))
    inside = (np.abs(particles.at(calorimeter.segments[0].z_min) - centre) < half).all(axis=1)
    hit = np.bincount(particles.event, inside & particles.secondary, minlength=n_events) > 0
    return ~hit


def enrich(
    make: Callable[[int], GeneratedEvents],
    wanted: Callable[[GeneratedEvents], NDArray[np.bool_]],
    n_events: int,
    fraction: float,
    rng: Generator,
) -> GeneratedEvents:
    """Return events of which a share ``fraction`` is ``wanted``, with weights that undo the enrichment.

    Candidates are made in rounds of ``n_events`` until there are enough of both kinds; the share of the wanted
    ones is measured on all candidates, so its statistical error is part of the weights.

    Raises
    ------
    ConfigError
        If wanted events are so rare that they are not found.
    """
    target = {True: round(n_events * fraction), False: n_events - round(n_events * fraction)}
    kept: dict[bool, list[tuple[GeneratedEvents, NDArray[np.int64]]]] = {True: [], False: []}
    found = {True: 0, False: 0}
    n_wanted, total = 0, 0
    for _ in range(MAX_ROUNDS):
        candidates = make(n_events)
        is_wanted = wanted(candidates)
        n_wanted += int(is_wanted.sum())
        total += n_events
        for kind in (True, False):
            which = np.flatnonzero(is_wanted == kind)[: target[kind] - found[kind]]
            kept[kind].append((candidates, which))
            found[kind] += len(which)
        if all(found[kind] >= target[kind] for kind in found):
            break
    else:
        raise ConfigError(
            f"bias: only {found[True]} wanted events among {MAX_ROUNDS * n_events} candidates; lower the fraction "
            f"{fraction} or widen the corner"
        )
    share = n_wanted / total
    parts = []
    for kind in (True, False):
        factor = (share if kind else 1 - share) / (target[kind] / n_events)
        for candidates, which in kept[kind]:
            chosen = candidates.select(which)
            parts.append(replace(chosen, weight=chosen.weight * factor))
    return join_events(parts).select(rng.permutation(n_events))
