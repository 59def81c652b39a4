"""Detectors centred on the axis of a shower, in fine tiles.

A shower of the library is made once and used at any impact point: the tiles are shifted, and those that fall outside
the real detector are dropped. So the detector that a shower enters and all behind it are centred on the axis, without a
beam hole. The one that is entered has its real width, so that as much leaks out of its sides, past it and into those
behind, as from a real one that is hit in its middle. Those behind it reach beyond their edges, wide enough to cover the
real ones wherever the first is hit. Detectors upstream of the one that is entered stand where they are, with their hole:
they see what is scattered back.
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


def library_setup(setup: Setup, tiles: Mapping[str, float], entry: str) -> Setup:
    """Return the setup of showers that enter one detector: the detectors in ``tiles`` (by name, width in mm).

    Calorimeters lose the segments that stand beside the axis of the others.

    Raises
    ------
    ConfigError
        If a detector is missing or has no tiles, or tiles do not fit into cells.
    """
    for name in (setup.target, entry):
        if name not in tiles:
            raise ConfigError(f"tiles: key '{name}' is missing; give the width of its tiles in mm")
    for name, tile in tiles.items():
        _check_tile(setup, name, tile)
    entered = tiled_detector(setup, entry)
    return Setup(
        name=f"{setup.name} library {entry}",
        description=f"Detectors of {setup.name} for showers that enter {entry}",
        target=setup.target,
        beam=setup.beam,
        detectors=tuple(_tiled(tiled_detector(setup, name), entered, tile) for name, tile in tiles.items()),
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


def check_depth(setup: Setup, entry: str, depth: float) -> None:
    """Check that a depth in mm lies inside a detector.

    Raises
    ------
    ConfigError
        If it does not.
    """
    front, back = faces(tiled_detector(setup, entry))
    if depth >= back - front:
        raise ConfigError(f"depth: {depth:g} mm is behind {entry}, which is {back - front:g} mm deep")


def _tiled(detector: Tiled, entered: Tiled, tile: float) -> Tiled:
    if faces(detector)[0] < faces(entered)[0]:
        low, high = bounds(detector)
        counts = np.round((high - low)[:2] / tile).astype(int)
        return _replaced(detector, counts, (low + high)[:2] / 2, tile, keep_hole=True)
    (low, high), (other_low, other_high) = bounds(detector), bounds(entered)
    reach = np.maximum(high - other_low, other_high - low)[:2]
    if detector.name == entered.name:
        reach = (high - low)[:2] / 2
    counts = 2 * np.ceil(reach / tile - _TOLERANCE).astype(int)
    return _replaced(detector, counts, np.zeros(2), tile, keep_hole=False)


def _replaced(
    detector: Tiled, counts: NDArray[np.int64], centre: NDArray[np.float64], tile: float, *, keep_hole: bool
) -> Tiled:
    if isinstance(detector, Calorimeter):
        changed: dict[str, object] = {
            "cells": {"value": counts.tolist(), "source": _SOURCE},
            "cell_size": {"value": [tile, tile], "source": _SOURCE},
            "centre": {"value": centre.tolist(), "source": _SOURCE},
            "segments": [detector.segments[index].model_dump() for index in on_axis(detector)],
        }
        if not keep_hole:
            changed["hole"] = None
        return Calorimeter.model_validate(detector.model_dump() | changed)
    planes = np.unique(np.column_stack([detector.channels.position[:, 2], detector.channels.size[:, 2]]), axis=0)
    x, y = (middle + (np.arange(n) - (n - 1) / 2) * tile for n, middle in zip(counts, centre, strict=True))
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
    if not isinstance(detector, Calorimeter):
        return
    for size in detector.cell_size.value:
        count = size / tile
        if abs(count - round(count)) > _TOLERANCE or round(count) < 1:
            raise ConfigError(f"tiles: {name}: {tile:g} mm; a cell of {size:g} mm needs a whole number of tiles")
        if name == setup.target and round(count) % 2:
            raise ConfigError(f"tiles: {name}: {tile:g} mm; a cell of {size:g} mm needs an even number of tiles")
