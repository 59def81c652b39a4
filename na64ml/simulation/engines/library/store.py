"""The showers of a library in columns."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot
from numpy.typing import NDArray

from na64ml.errors import ConfigError, InputError
from na64ml.simulation.library.recipe import LibraryRecipe
from na64ml.simulation.sample import TREE

_REMAKE = "make it again with: na64ml simulate --library"
_SCALARS = ("shower", "pdg", "entry", "kinetic_energy", "x", "y", "depth")


@dataclass(frozen=True, eq=False)
class Tiles:
    """Tiles of one detector of all showers: those of shower ``i`` are ``offset[i] .. offset[i + 1]``.

    Parameters
    ----------
    offset
        int64 ``[n_showers + 1]``.
    segment
        int32 ``[n_tiles]``: depth segment.
    place
        float32 ``[2, n_tiles]``: x and y in mm of the middle of the tile, from the middle of the tiled detector.
    energy
        float32 ``[n_tiles]``: visible energy in GeV.
    """

    offset: NDArray[np.int64]
    segment: NDArray[np.int32]
    place: NDArray[np.float32]
    energy: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Part:
    """A file of a library.

    Parameters
    ----------
    path
        The file.
    recipe
        What it was made from.
    provenance
        That and more, as the file states it.
    """

    path: Path
    recipe: LibraryRecipe
    provenance: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Showers:
    """All showers of a library.

    Parameters
    ----------
    parts
        The files that they come from; all have tiles of the same detectors.
    part
        Index of the file of each shower, ``[n]``.
    shower, pdg, entry
        Id, PDG number, and index into `detectors` of the detector that is entered, ``[n]``.
    kinetic_energy
        In GeV, ``[n]``.
    impact
        In mm from the axis, ``[n, 2]``.
    depth
        In mm behind the front face, ``[n]``; 0 for particles that come from outside.
    tiles
        By detector.
    """

    parts: tuple[Part, ...]
    part: NDArray[np.int64]
    shower: NDArray[np.int64]
    pdg: NDArray[np.int32]
    entry: NDArray[np.int16]
    kinetic_energy: NDArray[np.float64]
    impact: NDArray[np.float64]
    depth: NDArray[np.float64]
    tiles: Mapping[str, Tiles]

    @property
    def detectors(self) -> tuple[str, ...]:
        """Names of the detectors that have tiles."""
        return tuple(self.parts[0].recipe.tiles)

    @property
    def name(self) -> str:
        """Paths of the files, for messages."""
        return ", ".join(str(one.path) for one in self.parts)

    @property
    def widths(self) -> NDArray[np.float32]:
        """Widths of tiles in mm, ``[n_parts, n_detectors]``."""
        return np.array([[one.recipe.tiles[name] for name in self.detectors] for one in self.parts], dtype=np.float32)


def read_showers(path: Path) -> Showers:
    """Read a library file.

    Raises
    ------
    ConfigError
        If there is no such file.
    InputError
        If it is damaged or no library.
    """
    with _opened(path) as file:
        provenance = _provenance(file)
        columns = file[TREE].arrays(library="ak", how=dict)
    try:
        return _showers(path, provenance, columns)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: no shower library ({_short(error)}); {_REMAKE}") from error


def read_provenance(path: Path) -> Mapping[str, Any]:
    """Return what a library file states it was made from; its showers are not read.

    Raises
    ------
    ConfigError
        If there is no such file.
    InputError
        If it is damaged or no library.
    """
    with _opened(path) as file:
        return _provenance(file)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    if not path.is_file():
        raise ConfigError(f"{path}: there is no such shower library; {_REMAKE}")
    try:
        with uproot.open(path) as file:
            yield file
    except Exception as error:  # uproot and its decompressors raise many kinds
        raise InputError(f"{path}: damaged, or no shower library ({_short(error)}); {_REMAKE}") from error


def _provenance(file: Any) -> dict[str, Any]:
    return dict(json.loads(str(file["provenance"])))


def _showers(path: Path, provenance: Mapping[str, Any], columns: Mapping[str, Any]) -> Showers:
    scalars = {name: ak.to_numpy(columns[name]) for name in _SCALARS}
    recipe = LibraryRecipe.model_validate(provenance["recipe"])
    entry, names = scalars["entry"], list(recipe.tiles)
    wrong = [
        message
        for message, is_wrong in {
            f"{len(entry):,} of {provenance['n_events']:,} showers": len(entry) != provenance["n_events"],
            "showers with the same id": len(np.unique(scalars["shower"])) < len(entry),
            "energies or places that are no numbers": not all(np.isfinite(values).all() for values in scalars.values()),
            "energies that are not above 0": bool((scalars["kinetic_energy"] <= 0).any()),
            "unknown entries": bool(((entry < 0) | (entry >= len(names))).any()),
        }.items()
        if is_wrong
    ]
    if wrong:
        raise InputError(f"{path}: damaged, it has {', '.join(wrong)}; {_REMAKE}")
    return Showers(
        parts=(Part(path, recipe, provenance),),
        part=np.zeros(len(entry), dtype=np.int64),
        shower=scalars["shower"].astype(np.int64),
        pdg=scalars["pdg"],
        entry=entry,
        kinetic_energy=scalars["kinetic_energy"].astype(np.float64),
        impact=np.column_stack([scalars["x"], scalars["y"]]).astype(np.float64),
        depth=scalars["depth"].astype(np.float64),
        tiles={name: _tiles(path, name, columns, provenance["tiles"][name], recipe.tiles[name]) for name in names},
    )


def _tiles(path: Path, name: str, columns: Mapping[str, Any], shape: tuple[int, int, int], width: float) -> Tiles:
    """Return the tiles of one detector, of which there are ``shape``, each ``width`` mm wide."""
    counts = ak.to_numpy(ak.num(columns[f"{name}_tile"]))
    tile = ak.to_numpy(ak.flatten(columns[f"{name}_tile"])).astype(np.int64)
    energy = ak.to_numpy(ak.flatten(columns[f"{name}_energy"])).astype(np.float32)
    if len(tile) != len(energy) or (tile < 0).any() or (tile >= np.prod(shape)).any():
        raise InputError(f"{path}: damaged, tiles of {name} lie outside of it; {_REMAKE}")
    if not (np.isfinite(energy) & (energy >= 0)).all():
        raise InputError(f"{path}: damaged, energies of {name} are negative or no numbers; {_REMAKE}")
    segment, *index = np.unravel_index(tile, shape)
    place = (np.stack(index) - (np.array(shape[1:])[:, None] - 1) / 2) * width
    offset = np.concatenate([[0], np.cumsum(counts)])
    return Tiles(offset, segment.astype(np.int32), place.astype(np.float32), energy)


def _short(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 120 else text[:117] + "..."
