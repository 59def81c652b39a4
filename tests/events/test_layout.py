from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from na64ml.errors import ConfigError
from na64ml.events.layout import Layout, load_layout, shipped_layouts
from na64ml.events.reader import EventReader

LayoutFile = Callable[..., str]
ECAL_BRANCHES = {"form": "branches", "detector": "ECAL", "energy": {"branch": "e_{segment}_{x}_{y}"}}


def test_the_shipped_layouts_fit_their_setups() -> None:
    assert shipped_layouts() == ["na64e_invisible_geant4", "na64e_reference", "reco2018tree"]
    for name in shipped_layouts():
        assert load_layout(name).name == name
        EventReader(name)


def test_unknown_layout_lists_the_shipped_ones() -> None:
    with pytest.raises(ConfigError, match=r"unknown layout 'na64e'; shipped are: .*na64e_reference, reco2018tree"):
        load_layout("na64e")


def test_missing_layout_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        load_layout(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize(
    ("change", "key", "reason"),
    [
        ({"detectros": []}, "detectros", "Extra inputs"),
        ({"tree": 3}, "tree", "valid string"),
        ({"track": {"px": {"branch": "px"}}}, "track", "unknown px; known are p, theta_x"),
        ({"track": {"x": {"branch": "x"}}}, "track", "both x and y"),
        ({"columns": {"weight": {"branch": "w"}}}, "columns", "weight: column names"),
        ({"columns": {"a/b": {"branch": "w"}}}, "columns", "a/b: column names"),
    ],
)
def test_wrong_keys_are_named(
    layout_file: LayoutFile, srd: dict[str, Any], change: dict[str, Any], key: str, reason: str
) -> None:
    path = layout_file(srd, **change)
    with pytest.raises(ConfigError, match=rf"layout\.yaml: key '{key}.*{reason}"):
        load_layout(path)


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ({"form": "arrays", "detector": "SRD", "energy": {"branch": "e"}}, "'arrays'"),
        ({"form": "array", "detector": "SRD", "energy": {"branch": "e", "missing": 0.0}}, "energy.missing"),
        ({"form": "array", "detector": "SRD", "energy": {"branch": "e"}, "entries": [0, -1, 2]}, "entries"),
        (
            {"form": "array", "detector": "ECAL", "energy": {"branch": "e"}, "entries": [0], "segment": 0},
            "segment or entries",
        ),
    ],
)
def test_wrong_blocks_are_refused(layout_file: LayoutFile, block: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigError, match=rf"layout\.yaml: key 'detectors\.0.*{reason}"):
        load_layout(layout_file(block))


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (
            {"form": "array", "detector": "EKAL", "energy": {"branch": "e"}},
            r"detectors\[0\].detector: setup 'na64e_reference' has no detector 'EKAL'; use one of MM, ST",
        ),
        (
            {"form": "array", "detector": "MM", "energy": {"branch": "e"}},
            r"detectors\[0\].form: 'array' does not fit tracker MM; use projections",
        ),
        (
            {"form": "projections", "detector": "SRD", "planes": {"SRD0": {"x": "e"}}},
            r"detectors\[0\].form: 'projections' needs a tracker, SRD is a srd",
        ),
        (
            {"form": "projections", "detector": "MM", "planes": {"MM7": {"x": "MM7X"}}},
            r"detectors\[0\].planes.MM7: tracker MM has no channel 'MM7X', it has MM5X, MM5Y, MM6X, MM6Y",
        ),
        (
            {"form": "array", "detector": "SRD", "energy": {"branch": "e"}, "entries": [0, 1]},
            r"detectors\[0\].entries: lists 2 entries, SRD has 3",
        ),
        (
            {"form": "array", "detector": "ECAL", "energy": {"branch": "e"}, "segment": 2},
            r"detectors\[0\].segment: ECAL has no segment 2",
        ),
        (
            {"form": "array", "detector": "VETO", "energy": {"branch": "e"}, "segment": 0},
            r"detectors\[0\].segment: VETO has no segment 0",
        ),
        (
            {"form": "branches", "detector": "SRD", "energy": {"branch": "e{i}"}, "granularity": "segment"},
            r"detectors\[0\].granularity: 'segment' needs a calorimeter, SRD is none",
        ),
        (
            {"form": "branches", "detector": "SRD", "energy": {"branch": "e{x}"}},
            r"detectors\[0\].energy.branch: 'e\{x\}' cannot be filled in; SRD has the placeholders \{i\}",
        ),
        (
            {**ECAL_BRANCHES, "time": {"branch": "t_{segment}_{x"}},
            r"detectors\[0\].time.branch: 't_\{segment\}_\{x' cannot be filled in",
        ),
        (
            {"form": "branches", "detector": "ECAL", "energy": {"branch": "e_{segment}_{x}"}},
            r"detectors\[0\].energy.branch: 'e_\{segment\}_\{x\}' gives the same branch for several channels of ECAL",
        ),
    ],
)
def test_blocks_that_do_not_fit_the_setup(layout_file: LayoutFile, block: dict[str, Any], message: str) -> None:
    path = layout_file(block)
    with pytest.raises(ConfigError, match=rf"layout\.yaml: layout key {message}"):
        EventReader(path)


@pytest.mark.parametrize("key", ["setup", "conditions"])
def test_unknown_setup_or_conditions_name_the_layout(layout_file: LayoutFile, srd: dict[str, Any], key: str) -> None:
    path = layout_file(srd, **{key: "na64x"})
    with pytest.raises(ConfigError, match=rf"layout\.yaml: key '{key}': unknown {key} 'na64x'; shipped are"):
        EventReader(path)


def test_a_layout_without_a_file_is_called_by_its_name(layout_file: LayoutFile, srd: dict[str, Any]) -> None:
    layout = load_layout(layout_file(srd)).model_copy(update={"setup": "na64x"})
    nameless = Layout.model_validate(layout.model_dump())
    with pytest.raises(ConfigError, match=f"^layout '{layout.name}': key 'setup'"):
        EventReader(nameless)


def test_the_hash_follows_the_content(layout_file: LayoutFile, srd: dict[str, Any]) -> None:
    first = load_layout(layout_file(srd)).hash
    assert load_layout(layout_file(srd, name="copy.yaml")).hash == first
    assert load_layout(layout_file(srd, tree="other")).hash != first
