"""Writing TTrees that ROOT macros can read, and RNTuples."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import uproot
from numpy.typing import NDArray

from na64ml.events.atomic import atomic_path


class TreeWriter(Protocol):
    """An open tree."""

    def extend(self, columns: Mapping[str, Any]) -> None:
        """Append entries; every call has the same branches."""
        ...


@contextmanager
def write_tree(
    path: Path,
    tree: str,
    branches: Mapping[str, np.dtype[Any] | str],
    notes: Mapping[str, str] | None = None,
    counters: Mapping[str, str] | None = None,
) -> Iterator[TreeWriter]:
    """Create a ROOT file with one TTree; the file appears only when everything has been written.

    uproot writes an RNTuple on plain assignment, which older ROOT macros cannot read; ``mktree`` is explicit.

    Parameters
    ----------
    branches
        Branch names and types.
    notes
        Texts by name, stored beside the tree as TObjString.
    counters
        Branch with the lengths, by name of a branch of lists, where it is not ``n<name>``; several may share one.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    counters = counters or {}
    with atomic_path(path) as part, uproot.recreate(part, compression=uproot.ZSTD(1)) as file:
        yield file.mktree(tree, dict(branches), counter_name=lambda name: counters.get(name, f"n{name}"))
        _write_notes(file, notes)


@contextmanager
def write_ntuple(
    path: Path, name: str, fields: Mapping[str, np.dtype[Any] | str], notes: Mapping[str, str] | None = None
) -> Iterator[TreeWriter]:
    """Create a ROOT file with one RNTuple instead, which needs ROOT 6.34 or newer; see `write_tree`.

    Raises
    ------
    InputError
        If the folder cannot be written to.
    """
    with atomic_path(path) as part, uproot.recreate(part, compression=uproot.ZSTD(1)) as file:
        yield file.mkrntuple(name, dict(fields))
        _write_notes(file, notes)


def _write_notes(file: Any, notes: Mapping[str, str] | None) -> None:
    for name, text in (notes or {}).items():
        file[name] = text


def columns_of(arrays: Mapping[str, NDArray[Any]]) -> dict[str, np.dtype[Any]]:
    """Return branch types of columns ``[n_entries]`` or fixed arrays ``[n_entries, ...]``."""
    return {name: np.dtype((values.dtype, values.shape[1:])) for name, values in arrays.items()}
