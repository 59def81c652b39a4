"""What a tree is made of, so that its entries can be written to another one."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import awkward as ak
import uproot
from uproot.interpretation.identify import UnknownInterpretation

from na64ml.errors import InputError
from na64ml.events.root_files import decoding, open_file

_WRITABLE = re.compile(r"(var \* |(\d+ \* )*)(bool|u?int(8|16|32|64)|float(32|64))|string")
"""Types of branches that can be written: numbers, fixed arrays, lists of numbers, and text."""


@dataclass(frozen=True)
class TreeForm:
    """The branches of a tree that can be written.

    Parameters
    ----------
    branches
        Awkward type of one entry by name of the branch, in order, such as ``2 * 6 * 6 * float32``.
    counters
        Branch with the lengths, by name of a branch of lists.
    """

    branches: Mapping[str, str]
    counters: Mapping[str, str]

    def columns(self, arrays: Mapping[str, ak.Array]) -> dict[str, Any]:
        """Return what a tree of this form takes of arrays that were read: all branches but the counters."""
        lengths = set(self.counters.values())
        return {
            name: arrays[name] if kind.startswith(("var", "string")) else ak.to_numpy(arrays[name])
            for name, kind in self.branches.items()
            if name not in lengths
        }

    def require_same(self, other: "TreeForm", file: str, first: str) -> None:
        """Check that the tree of ``file``, which has the form ``other``, has the branches of that of ``first``.

        Raises
        ------
        InputError
            Naming the branches that differ.
        """
        mine, theirs = self.branches, other.branches
        differing = [
            f"'{name}' ({mine.get(name, 'missing')} and {theirs.get(name, 'missing')})"
            for name in dict.fromkeys((*mine, *theirs))
            if mine.get(name) != theirs.get(name)
        ]
        if differing:
            raise InputError(
                f"{first} and {file} differ in branch {', '.join(differing)}; treat them one by one, or leave these "
                "branches out"
            )


def form_of(tree: Any, file: str, left_out: Collection[str] = ()) -> TreeForm:
    """Return the form of an open tree without the branches to leave out.

    A tree whose lists have no counter (vectors, RNTuple) gets ``n<name>``.

    Raises
    ------
    InputError
        If a branch is to be left out and is not there, or is of a type that cannot be written.
    """
    present = tree.keys(recursive=False)
    if unknown := sorted(set(left_out) - set(present)):
        raise InputError(f"{file}: has no branch {', '.join(unknown)} to leave out; it has {', '.join(present)}")
    names = [name for name in present if name not in left_out]
    with decoding(file):
        types = {name: _type(tree[name]) for name in names}
        counters = {name: _counter(tree[name], set(names)) for name in names if types[name].startswith("var")}
    if wrong := [f"'{name}' ({kind})" for name, kind in types.items() if not _WRITABLE.fullmatch(kind)]:
        raise InputError(
            f"{file}: tree '{tree.name}': branch {', '.join(wrong)} cannot be copied: it holds neither numbers, fixed "
            "arrays, lists of numbers nor text; leave it out (--leave-out)"
        )
    lengths = set(counters.values())
    return TreeForm({name: "int32" if name in lengths else kind for name, kind in types.items()}, counters)


def _type(branch: Any) -> str:
    """Return the awkward type of one entry of a branch, or what else it is."""
    if isinstance(branch, uproot.TBranch) and branch.branches:  # itself it may hold no more than a number of objects
        return f"{branch.typename} in {len(branch.branches)} branches of its own"
    try:
        return str(branch.array(library="ak", entry_stop=0).type.content)
    except (ValueError, UnknownInterpretation):
        return str(branch.typename)


def _counter(branch: Any, taken: set[str]) -> str:
    own = getattr(branch, "count_branch", None)
    if own is not None:
        return str(own.name)
    name = f"n{branch.name}"
    while name in taken:
        name = f"n{name}"
    return name


def notes_of(file: str) -> dict[str, str]:
    """Return the texts that lie beside the trees of a ROOT file (TObjString), by name.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    with open_file(file) as root, decoding(file):
        return {name: str(root[name]) for name in root.keys(cycle=False, filter_classname="TObjString")}


def gathered(chunks: Iterable[Mapping[str, ak.Array]], size: int) -> Iterator[dict[str, ak.Array]]:
    """Join small chunks of arrays to chunks of at least ``size`` entries, the last one apart.

    A tree written in many small chunks is large and slow to read.
    """
    waiting: list[Mapping[str, ak.Array]] = []
    n_waiting = 0
    for chunk in chunks:
        waiting.append(chunk)
        n_waiting += len(next(iter(chunk.values())))
        if n_waiting >= size:
            yield _joined(waiting)
            waiting, n_waiting = [], 0
    if n_waiting:
        yield _joined(waiting)


def _joined(chunks: list[Mapping[str, ak.Array]]) -> dict[str, ak.Array]:
    return {name: ak.to_packed(ak.concatenate([chunk[name] for chunk in chunks])) for name in chunks[0]}
