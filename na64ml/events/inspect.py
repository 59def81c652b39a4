"""What is in a ROOT file, and which layouts can read it."""

from dataclasses import dataclass
from typing import Any

from na64ml.errors import InputError, Na64mlError
from na64ml.events.layout import load_layout, shipped_layouts
from na64ml.events.reader import EventReader
from na64ml.events.root_files import decoding, open_file, tree_classes


@dataclass(frozen=True)
class Branch:
    """One branch of a tree."""

    name: str
    type: str


@dataclass(frozen=True)
class Tree:
    """One tree of a file."""

    name: str
    kind: str
    n_entries: int
    branches: tuple[Branch, ...]


@dataclass(frozen=True)
class Fit:
    """Whether a layout reads a file, and why not."""

    layout: str
    fits: bool
    reason: str


def trees_of(file: str) -> list[Tree]:
    """List the trees of a ROOT file with their branches.

    Raises
    ------
    InputError
        If the file is not a (whole) ROOT file.
    """
    with open_file(file) as root, decoding(file):
        return [_tree(name, kind, root[name]) for name, kind in tree_classes(root).items()]


def fitting_layouts(file: str, names: list[str] | None = None) -> list[Fit]:
    """Try layouts (all shipped ones by default) on the first events of a file."""
    return [_try(file, name) for name in names or shipped_layouts()]


def _tree(name: str, kind: str, tree: Any) -> Tree:
    return Tree(
        name=name,
        kind=kind.removeprefix("ROOT::"),
        n_entries=int(tree.num_entries),
        branches=tuple(Branch(key, tree[key].typename) for key in tree.keys(recursive=False)),
    )


def _try(file: str, name: str) -> Fit:
    try:
        reader = EventReader(load_layout(name))
        batch = next(reader.iterate(file, step=100))
    except InputError as error:
        return Fit(name, False, str(error).removeprefix(f"{file}: "))
    except Na64mlError as error:
        return Fit(name, False, str(error))
    truth = "with truth" if batch.has_truth else "without truth (treated as data)"
    return Fit(name, True, f"{truth}, {batch.n_hits / len(batch):.0f} hits per event")
