from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from na64ml.errors import InputError
from na64ml.events.inspect import Branch, fitting_layouts, trees_of

TreeFile = Callable[..., Path]
LayoutFile = Callable[..., str]


def test_trees_and_branches_are_listed(tree_file: TreeFile) -> None:
    file = tree_file(n_events=4, SRD_ene=np.ones((4, 3), dtype=np.float32))
    with uproot.update(file) as root:
        root["other/ntuple"] = {"x": np.arange(5)}
        root["title"] = "not a tree"
    trees = {tree.name: tree for tree in trees_of(str(file))}
    assert {name: (tree.kind, tree.n_entries) for name, tree in trees.items()} == {
        "tree": ("TTree", 4),
        "other/ntuple": ("RNTuple", 5),
    }
    assert Branch("SRD_ene", "float[3]") in trees["tree"].branches
    assert [branch.name for branch in trees["tree"].branches] == ["run", "spill", "spillevent", "SRD_ene"]
    assert [branch.name for branch in trees["other/ntuple"].branches] == ["x"]


def test_the_layouts_that_fit_the_reference_file(reference_file: str) -> None:
    fits = {fit.layout: fit for fit in fitting_layouts(reference_file)}
    assert fits["na64e_reference"].fits
    assert "with truth" in fits["na64e_reference"].reason
    assert not fits["reco2018tree"].fits
    assert "'hcal0'" in fits["reco2018tree"].reason


def test_data_and_own_layouts(tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any]) -> None:
    file = str(tree_file(SRD_ene=np.ones((3, 3), dtype=np.float32)))
    good, wrong_setup = layout_file(srd), layout_file(srd, name="other.yaml", setup="na64e_none")
    fits = fitting_layouts(file, [good, wrong_setup])
    assert [fit.fits for fit in fits] == [True, False]
    assert fits[0].reason == "without truth (treated as data), 3 hits per event"
    assert "na64e_none" in fits[1].reason


def test_an_empty_tree_fits_nothing(tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any]) -> None:
    file = str(tree_file(n_events=0, SRD_ene=np.ones((0, 3), dtype=np.float32)))
    (fit,) = fitting_layouts(file, [layout_file(srd)])
    assert (fit.fits, "no events" in fit.reason) == (False, True)


def test_damaged_file(tmp_path: Path, reference_file: str) -> None:
    (tmp_path / "cut.root").write_bytes(Path(reference_file).read_bytes()[:100_000])
    with pytest.raises(InputError, match=r"cut\.root: not a readable ROOT file"):
        trees_of(str(tmp_path / "cut.root"))
