"""Detectors that reach beyond their edges, in fine tiles around the axis of a shower.

A shower of the library is made once and used at any impact point: the tiles are shifted, and those that fall outside the
real detector are dropped. So every detector of the library is centred on the hit cell of the target and is wide enough
to cover the real one wherever the target is hit. What leaks out of the side of a real detector is absorbed by its
continuation here.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import ConfigError
from na64ml.setups.detectors import Calorimeter, Counter
from na64ml.setups.setup import Setup

Tiled = Calorimeter | Counter

_SOURCE = "C: tiles of a shower library"


def extended(setup: Setup, tiles: Mapping[str, float]) -> Setup:
    """Return the setup of a library: the detectors in ``tiles`` (by name, width in mm), extended and tiled.

    Calorimeters lose their beam hole and the segments that stand beside the axis of the others.

    Raises
    ------
    ConfigError
        If a detector is missing, has no tiles, or the target's cells are not an even number of tiles.
    """
    detectors = tuple(_extended(setup, name, width) for name, width in tiles.items())
    if setup.target not in tiles:
        raise ConfigError(f"tiles: key '{setup.target}' is missing; it is the target of setup '{setup.name}'")
    for size in setup.target_calorimeter.cell_size.value:
        tiles_in_cell = size / tiles[setup.target]
        if not np.isclose(tiles_in_cell % 2, 0, atol=1e-6) and not np.isclose(tiles_in_cell % 2, 2, atol=1e-6):
            raise ConfigError(
                f"tiles: {setup.target}: {tiles[setup.target]:g} mm; a cell of {size:g} mm needs an even number of tiles"
            )
    return Setup(
        name=f"{setup.name} library",
        description=f"Detectors of {setup.name} for a shower library",
        target=setup.target,
        beam=setup.beam,
        detectors=detectors,
    )


def tile_shape(detector: Tiled) -> tuple[int, int, int]:
    """Return the numbers of segments (planes of a counter) and of tiles in x and y; channels are in this order."""
    if isinstance(detector, Calorimeter):
        return detector.shape
    x, y, z = (len(np.unique(detector.channels.position[:, axis].round(6))) for axis in range(3))
    return z, x, y


def _extended(setup: Setup, name: str, tile: float) -> Tiled:
    detector = setup.detector(name)
    if isinstance(detector, Calorimeter):
        return _calorimeter(detector, tile)
    if isinstance(detector, Counter):
        return _counter(detector, tile)
    raise ConfigError(
        f"tiles: {name} of setup '{setup.name}' is a {detector.kind}; only calorimeters and counters have tiles"
    )


def _calorimeter(detector: Calorimeter, tile: float) -> Calorimeter:
    segments = [
        segment.model_dump()
        for index, segment in enumerate(detector.segments)
        if detector.segment_centre(index) == detector.centre.value
    ]
    tiled = {
        "cells": {"value": [_count(width, tile) for width in detector.width], "source": _SOURCE},
        "cell_size": {"value": [tile, tile], "source": _SOURCE},
        "centre": {"value": [0, 0], "source": _SOURCE},
        "hole": None,
        "segments": segments,
    }
    return Calorimeter.model_validate(detector.model_dump() | tiled)


def _counter(detector: Counter, tile: float) -> Counter:
    """Replace the elements by square tiles, in one plane for each distinct place and thickness along the beam."""
    position, size = detector.channels.position, detector.channels.size
    spans = (position[:, :2] + size[:, :2] / 2).max(axis=0) - (position[:, :2] - size[:, :2] / 2).min(axis=0)
    planes = np.unique(np.column_stack([position[:, 2], size[:, 2]]), axis=0)
    centres = [_centres(_count(span, tile), tile) for span in spans]
    elements = [
        {
            "name": f"{detector.name}[{plane}][{ix}][{iy}]",
            "position": {"value": [x, y, z], "source": _SOURCE},
            "size": {"value": [tile, tile, depth], "source": _SOURCE},
        }
        for plane, (z, depth) in enumerate(planes.tolist())
        for ix, x in enumerate(centres[0].tolist())
        for iy, y in enumerate(centres[1].tolist())
    ]
    return Counter.model_validate(detector.model_dump() | {"elements": elements})


def _count(span: float, tile: float) -> int:
    """Return the number of tiles: even, and enough for the detector wherever on it the axis lies."""
    return 2 * int(np.ceil(span / tile - 1e-6))


def _centres(count: int, tile: float) -> NDArray[np.float64]:
    return (np.arange(count) - (count - 1) / 2) * tile
