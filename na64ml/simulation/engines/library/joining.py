"""Files of showers joined to one library."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from na64ml.errors import ConfigError
from na64ml.simulation.engines.library.store import Showers, Tiles, read_showers


def read_library(paths: Sequence[Path]) -> Showers:
    """Read the files of a library and join their showers, in this order.

    Ids of showers of a file follow those of the files before.

    Raises
    ------
    ConfigError
        If a file does not exist, is given twice, or has tiles of other detectors than the first one.
    InputError
        If one is damaged or no library.
    """
    showers = [read_showers(path) for path in paths]
    first = showers[0]
    contents = [one.parts[0].provenance["content_hash"] for one in showers]
    for index, one in enumerate(showers):
        if contents.index(contents[index]) < index:
            raise ConfigError(
                f"{one.name}: key 'path': the same showers as {showers[contents.index(contents[index])].name}; name "
                "each file once"
            )
        if one.detectors != first.detectors:
            raise ConfigError(
                f"{one.name}: key 'path': tiles of {', '.join(one.detectors)}, but {first.name} has those of "
                f"{', '.join(first.detectors)}; name the same detectors in the key 'tiles' of both recipes, in the "
                "same order"
            )
    return first if len(showers) == 1 else _joined(showers)


def _joined(showers: Sequence[Showers]) -> Showers:
    ends = np.cumsum([one.shower.max(initial=-1) + 1 for one in showers])
    before = np.concatenate([[0], ends[:-1]])
    return Showers(
        parts=tuple(one.parts[0] for one in showers),
        part=np.repeat(np.arange(len(showers)), [len(one.shower) for one in showers]),
        shower=np.concatenate([one.shower + start for one, start in zip(showers, before, strict=True)]),
        pdg=np.concatenate([one.pdg for one in showers]),
        entry=np.concatenate([one.entry for one in showers]),
        kinetic_energy=np.concatenate([one.kinetic_energy for one in showers]),
        impact=np.concatenate([one.impact for one in showers]),
        depth=np.concatenate([one.depth for one in showers]),
        tiles={name: _joined_tiles([one.tiles[name] for one in showers]) for name in showers[0].detectors},
    )


def _joined_tiles(tiles: Sequence[Tiles]) -> Tiles:
    counts = np.concatenate([np.diff(one.offset) for one in tiles])
    return Tiles(
        offset=np.concatenate([[0], np.cumsum(counts)]),
        segment=np.concatenate([one.segment for one in tiles]),
        place=np.concatenate([one.place for one in tiles], axis=1),
        energy=np.concatenate([one.energy for one in tiles]),
    )
