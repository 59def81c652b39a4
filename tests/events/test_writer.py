from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from numpy.typing import NDArray

from na64ml.events.writer import columns_of, write_tree


def test_a_ttree_is_written_in_parts(tmp_path: Path) -> None:
    columns: dict[str, NDArray[Any]] = {
        "score": np.arange(4, dtype=np.float32),
        "cells": np.arange(24).reshape(4, 2, 3),
    }
    with write_tree(tmp_path / "out.root", "scores", columns_of(columns)) as tree:
        for part in (slice(0, 3), slice(3, 4)):
            tree.extend({name: values[part] for name, values in columns.items()})
    with uproot.open(tmp_path / "out.root") as file:
        assert file.classnames() == {"scores;1": "TTree"}
        for name, values in columns.items():
            read = file["scores"][name].array(library="np")
            assert read.dtype == values.dtype
            np.testing.assert_array_equal(read, values)


def test_jagged_branches(tmp_path: Path) -> None:
    lists = ak.values_astype(ak.Array([[1.0, 2.0], [], [3.0]]), np.float32)
    with write_tree(tmp_path / "out.root", "tree", {"x": "var * float32"}) as tree:
        tree.extend({"x": lists})
    with uproot.open(tmp_path / "out.root") as file:
        assert file["tree"]["x"].array().tolist() == lists.tolist()


def write_half(path: Path) -> None:
    with write_tree(path, "scores", {"x": "float32"}) as tree:
        tree.extend({"x": np.zeros(3, dtype=np.float32)})
        raise RuntimeError


def test_failure_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        write_half(tmp_path / "out.root")
    assert list(tmp_path.iterdir()) == []
