from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from na64ml.errors import InputError
from na64ml.events.tree_form import TreeForm, form_of, gathered, notes_of
from na64ml.events.writer import write_ntuple, write_tree

TYPES = {
    "nhit": "int32",
    "x": "var * float32",
    "id": "var * int16",
    "cells": "2 * 3 * float32",
    "flag": "bool",
    "wide": "int64",
    "period": "string",
    "alone": "var * float64",
}
COUNTERS = {"x": "nhit", "id": "nhit"}


def columns(n: int = 4) -> dict[str, np.ndarray | ak.Array]:
    lengths = np.arange(n) % 3
    return {
        "x": ak.unflatten(np.arange(lengths.sum(), dtype=np.float32) / 7, lengths),
        "id": ak.unflatten(np.arange(lengths.sum(), dtype=np.int16), lengths),
        "cells": np.where(np.arange(6 * n) % 4, np.pi * np.arange(6 * n), np.nan).astype(np.float32).reshape(n, 2, 3),
        "flag": np.arange(n) % 2 == 0,
        "wide": np.arange(n) + (1 << 60),
        "period": ak.Array([f"2018 {'B' * (i * 300)}" for i in range(n)]),
        "alone": ak.unflatten(np.arange((2 - lengths).sum(), dtype=np.float64), 2 - lengths),
    }


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.root"
    with write_tree(path, "tree", TYPES, {"labels": "a,b", "remark": "shift"}, COUNTERS) as tree:
        tree.extend(columns())
    return path


def copy(source: Path, target: Path, mask: np.ndarray) -> TreeForm:
    with uproot.open(source) as root:
        tree = root["tree"]
        form = form_of(tree, str(source))
        arrays = tree.arrays(tree.keys(recursive=False), library="ak", how=dict)
    with write_tree(target, "tree", form.branches, counters=form.counters) as out:
        out.extend(form.columns({name: ak.to_packed(array[mask]) for name, array in arrays.items()}))
    return form


def test_every_kind_of_branch_is_copied_exactly(source: Path, tmp_path: Path) -> None:
    mask = np.array([True, False, True, True])
    copy(source, tmp_path / "copy.root", mask)
    with uproot.open(source) as before, uproot.open(tmp_path / "copy.root") as after:
        known, found = before["tree"], after["tree"]
        assert [(b.name, b.typename, b.title) for b in found.branches] == [
            (b.name, b.typename, b.title) for b in known.branches
        ]
        for name in TYPES:
            expected, array = known[name].array()[mask], found[name].array()
            assert str(array.type) == str(expected.type)
            assert ak.array_equal(array, expected, equal_nan=True), name
        assert found["nhit"].array().tolist() == [0, 2, 0]
        assert found["x"].count_branch.name == found["id"].count_branch.name == "nhit"


def test_lists_without_counter_get_one_that_is_free(tmp_path: Path) -> None:
    """As in an RNTuple, or vectors in a TTree; the tree has another branch of the usual name."""
    path = tmp_path / "source.root"
    content = {"x": columns()["x"], "nx": np.array([7.5, 8.5, 9.5, 10.5])}
    with write_ntuple(path, "tree", {"x": "var * float32", "nx": "float64"}) as tree:
        tree.extend(content)
    form = copy(path, tmp_path / "copy.root", np.ones(4, dtype=bool))
    assert form.counters == {"x": "nnx"}
    with uproot.open(tmp_path / "copy.root") as root:
        assert root["tree"]["nx"].array().tolist() == content["nx"].tolist()
        assert root["tree"]["x"].array().tolist() == content["x"].tolist()


def test_branches_that_cannot_be_copied_are_named_and_can_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "source.root"
    with write_ntuple(path, "tree", {"run": "int32", "odd": "var * var * float32"}) as tree:
        odd = ak.values_astype(ak.Array([[[1.0]], []]), np.float32)
        tree.extend({"run": np.arange(2, dtype=np.int32), "odd": odd})
    with uproot.open(path) as root:
        with pytest.raises(InputError, match=r"source.root: .*'odd' \(var \* var \* float32\).*--leave-out"):
            form_of(root["tree"], str(path))
        assert form_of(root["tree"], str(path), ["odd"]).branches == {"run": "int32"}
        with pytest.raises(InputError, match="no branch even to leave out"):
            form_of(root["tree"], str(path), ["even"])


def test_objects_that_root_split_cannot_be_copied(source: Path) -> None:
    """The branch of an array of objects holds their number, and the objects are in branches of its own."""
    with uproot.open(source) as root:
        tree = root["tree"]
        tree["wide"].members["fBranches"] = [tree["flag"]]
        with pytest.raises(InputError, match=r"branch 'wide' .*in 1 branches of its own\) cannot be copied"):
            form_of(tree, str(source))
        assert "wide" not in form_of(tree, str(source), ["wide"]).branches


def test_differing_trees_are_told_apart() -> None:
    first = TreeForm({"run": "int32", "x": "float32"}, {})
    first.require_same(TreeForm({"x": "float32", "run": "int32"}, {}), "b.root", "a.root")
    with pytest.raises(InputError, match=r"a.root and b.root differ in branch 'x' \(float32 and float64\), 'y' \(miss"):
        first.require_same(TreeForm({"run": "int32", "x": "float64", "y": "bool"}, {}), "b.root", "a.root")


def test_notes(source: Path) -> None:
    assert notes_of(str(source)) == {"labels": "a,b", "remark": "shift"}


def test_small_chunks_are_joined_in_order() -> None:
    chunks = [{"x": ak.Array(list(range(start, start + 2)))} for start in range(0, 10, 2)]
    joined = [chunk["x"].tolist() for chunk in gathered(chunks, 4)]
    assert joined == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert list(gathered([{"x": ak.Array([])}], 4)) == []
