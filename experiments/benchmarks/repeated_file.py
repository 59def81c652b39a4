"""A large ROOT file: the reference events repeated, with event numbers that stay unique."""

from pathlib import Path
from typing import Any

import numpy as np
import uproot

from na64ml.events.writer import write_tree
from na64ml.resources import shipped

BASKET = 5_000
"""Entries per basket."""


def repeated_file(folder: Path, repeat: int) -> Path:
    """Return the file with the 5,025 reference events ``repeat`` times; it is written once."""
    path = folder / f"reference_x{repeat}.root"
    if not path.is_file():
        _write(path, repeat)
    return path


def _write(path: Path, repeat: int) -> None:
    with uproot.open(shipped("datasets") / "na64e_reference.root") as root:
        tree = root["tree"]
        names = [name for name in tree.keys(recursive=False) if not name.startswith("n")]
        types = {name: tree[name].interpretation for name in names}
        reference = tree.arrays(names, library="ak", how=dict)
    per_copy = int(reference["spillevent"].to_numpy().max()) + 1
    branches = {name: _branch_type(kind) for name, kind in types.items()}
    with write_tree(path, "tree", branches) as out:
        for copy in range(repeat):
            columns = {**reference, "spillevent": reference["spillevent"] + np.int32(copy * per_copy)}
            for start in range(0, len(columns["run"]), BASKET):
                out.extend({name: values[start : start + BASKET] for name, values in columns.items()})


def _branch_type(interpretation: Any) -> Any:
    """Return the type that mktree needs for a branch."""
    if isinstance(interpretation, uproot.AsJagged):
        return f"var * {interpretation.content.to_dtype.name}"
    return np.dtype(interpretation.to_dtype)
