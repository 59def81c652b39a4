"""The detectors of a setup in fine tiles, so that a shower can be moved by some of them.

Nothing but the segmentation changes: detectors have their size, place and hole, so that what leaks out of their sides,
or into a hole, is seen by those behind. Showers are used near the place where they were made.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import ConfigError
from na64ml.setups.detectors import Calorimeter, Counter
from na64ml.setups.setup import Setup
from na64ml.setups.sourced import without_sources
from na64ml.yaml_files import content_hash

Tiled = Calorimeter | Counter

_SOURCE = "C: tiles of a shower library"
_TOLERANCE = 1e-6


def library_setup(setup: Setup, tiles: Mapping[str, float]) -> Setup:
    """Return the setup of a library: the detectors in ``tiles`` (by name, width in mm).

    Calorimeters lose the segments that stand beside the axis of the others.

    Raises
    ------
    ConfigError
        If a detector is missing or has no tiles, or tiles do not fit.
    """
    if setup.target not in tiles:
        raise ConfigError(f"tiles: key '{setup.target}' is missing; give the width of its tiles in mm")
    for name, tile in tiles.items():
        _check_tile(setup, name, tile)
    return Setup(
        name=f"{setup.name} library",
        description=f"Detectors of {setup.name} for a shower library",
        target=setup.target,
        beam=setup.beam,
        detectors=tuple(_tiled(tiled_detector(setup, name), tile) for name, tile in tiles.items()),
    )


def tiled_detector(setup: Setup, name: str) -> Tiled:
    """Return a calorimeter or counter of a setup.

    Raises
    ------
    ConfigError
        If there is none of that name, or it is of another kind.
    """
    detector = setup.detector(name)
    if isinstance(detector, Calorimeter | Counter):
        return detector
    raise ConfigError(
        f"tiles: {name} of setup '{setup.name}' is a {detector.kind}; only calorimeters and counters have tiles"
    )


def tile_shape(detector: Tiled) -> tuple[int, int, int]:
    """Return the numbers of segments (planes of a counter) and of tiles in x and y; channels are in this order."""
    if isinstance(detector, Calorimeter):
        return detector.shape
    x, y, z = (len(np.unique(detector.channels.position[:, axis].round(6))) for axis in range(3))
    return z, x, y


def faces(detector: Tiled) -> tuple[float, float]:
    """Return front face and back face of the part of a detector on the axis, z in mm."""
    low, high = bounds(detector)
    return float(low[2]), float(high[2])


def digest(detector: Tiled) -> str:
    """Return a hash of all that showers depend on: the numbers of a detector without sources, names and readout."""
    parts = {"kind", "cells", "cell_size", "centre", "hole", "sandwich", "segments", "elements"}
    content = without_sources(detector.model_dump(mode="json", include=parts))
    for part in [*content.get("segments", ()), *content.get("elements", ())]:
        part.pop("name")
    return content_hash(content)


def check_start(setup: Setup, tiles: Mapping[str, float], entry: str, depth: float) -> None:
    """Check that showers can enter a detector, and that a depth in mm lies inside.

    Raises
    ------
    ConfigError
        If it has no tiles, or the depth is behind it.
    """
    if entry not in tiles:
        raise ConfigError(f"entry: '{entry}' has no tiles; use one of {', '.join(tiles)}")
    front, back = faces(tiled_detector(setup, entry))
    if depth >= back - front:
        raise ConfigError(f"depth: {depth:g} mm is behind {entry}, which is {back - front:g} mm deep")


def _tiled(detector: Tiled, tile: float) -> Tiled:
    low, high = bounds(detector)
    counts = np.round((high - low)[:2] / tile).astype(int)
    if isinstance(detector, Calorimeter):
        changed: dict[str, object] = {
            "cells": {"value": counts.tolist(), "source": _SOURCE},
            "cell_size": {"value": [tile, tile], "source": _SOURCE},
            "segments": [detector.segments[index].model_dump() for index in on_axis(detector)],
        }
        return Calorimeter.model_validate(detector.model_dump() | changed)
    planes = np.unique(np.column_stack([detector.channels.position[:, 2], detector.channels.size[:, 2]]), axis=0)
    x, y = (start + (np.arange(n) + 0.5) * tile for n, start in zip(counts, low[:2], strict=True))
    elements = [
        {
            "name": f"{detector.name}[{plane}][{ix}][{iy}]",
            "position": {"value": [float(x[ix]), float(y[iy]), z], "source": _SOURCE},
            "size": {"value": [tile, tile, depth], "source": _SOURCE},
        }
        for plane, (z, depth) in enumerate(planes.tolist())
        for ix in range(counts[0])
        for iy in range(counts[1])
    ]
    return Counter.model_validate(detector.model_dump() | {"elements": elements})


def on_axis(detector: Calorimeter) -> list[int]:
    """Return the segments of a calorimeter that do not stand beside the axis of the others."""
    return [i for i in range(len(detector.segments)) if detector.segment_centre(i) == detector.centre.value]


def bounds(detector: Tiled) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the corners in mm of the box around the parts of a detector on the axis."""
    channels = detector.channels
    chosen = np.ones(detector.n_channels, dtype=bool)
    if isinstance(detector, Calorimeter):
        chosen = np.isin(channels.segment, on_axis(detector))
    position, half = channels.position[chosen], channels.size[chosen] / 2
    return (position - half).min(axis=0), (position + half).max(axis=0)


def _check_tile(setup: Setup, name: str, tile: float) -> None:
    detector = tiled_detector(setup, name)
    low, high = bounds(detector)
    sizes = detector.cell_size.value if isinstance(detector, Calorimeter) else tuple((high - low)[:2].tolist())
    part = "a cell" if isinstance(detector, Calorimeter) else "it"
    for size in sizes:
        count = size / tile
        if abs(count - round(count)) > _TOLERANCE or round(count) < 1:
            raise ConfigError(f"tiles: {name}: {tile:g} mm; {part} of {size:g} mm needs a whole number of tiles")
        if name == setup.target and round(count) % 2:
            raise ConfigError(f"tiles: {name}: {tile:g} mm; {part} of {size:g} mm needs an even number of tiles")
