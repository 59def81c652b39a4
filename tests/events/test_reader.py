"""Streams of files, event-level branches and truth."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from na64ml.errors import InputError
from na64ml.events.batch import UNKNOWN_PROCESS
from na64ml.events.reader import EventReader

TreeFile = Callable[..., Path]
LayoutFile = Callable[..., str]
TRUTH = {"process": {"branch": "label", "names": ["dark_photon", "dimuon"]}, "weight": "w"}


def f4(*values: Any) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def ones(n_events: int = 3) -> np.ndarray:
    return np.ones((n_events, 3), dtype=np.float32)


@pytest.mark.parametrize("step", [1, 3, 4, 100])
@pytest.mark.parametrize("basket", [2, 1000])
def test_order_and_number_are_kept_over_files_and_steps(
    tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any], tmp_path: Path, step: int, basket: int
) -> None:
    sizes = {"a1.root": 7, "a2.root": 1, "b.root": 5}
    energies = np.random.default_rng(0).uniform(1, 2, (13, 3)).astype(np.float32)
    start = 0
    for name, size in sizes.items():
        tree_file(name, n_events=size, first=start, basket=basket, SRD_ene=energies[start : start + size])
        start += size
    reader = EventReader(layout_file(srd))
    batches = list(reader.iterate([tmp_path / "a*.root", tmp_path / "b.root"], step=step))
    assert max(map(len, batches)) <= step
    assert np.concatenate([batch.ids[:, 2] for batch in batches]).tolist() == list(range(13))
    np.testing.assert_array_equal(np.concatenate([b.hits[:, 3] for b in batches]).reshape(13, 3), energies)
    assert reader.count([tmp_path / "a*.root", tmp_path / "b.root"]) == 13
    backwards = reader.read([tmp_path / "b.root", tmp_path / "a*.root"])
    assert backwards.ids[:, 2].tolist() == [*range(8, 13), *range(8)]


def test_an_rntuple_reads_like_a_ttree(
    tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any], tmp_path: Path
) -> None:
    columns = {"run": np.full(5, 6500), "spill": np.ones(5, dtype=int), "spillevent": np.arange(5)}
    with uproot.recreate(tmp_path / "ntuple.root") as file:
        file.mkrntuple("tree", columns | {"SRD_ene": ones(5)})
    events = EventReader(layout_file(srd)).read(tmp_path / "ntuple.root")
    assert events.ids[:, 2].tolist() == list(range(5))
    assert (events.hits[:, 3] == 1).all()


def test_event_level_branches(tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any]) -> None:
    layout = layout_file(
        srd,
        track={
            "p": {"branch": "p_mev", "scale": 0.001, "missing": -1.0},
            "x": {"branch": "tx"},
            "y": {"branch": "ty"},
            "chi2": {"branch": "chi2", "optional": True},
        },
        columns={
            "mass": {"branch": "m", "missing": 0.0, "optional": True},
            "parent": {"branch": "pdg", "missing": 0},
            "trigger": {"branch": "bit"},
            "absent": {"branch": "nothing", "optional": True},
        },
    )
    file = tree_file(
        SRD_ene=ones(),
        p_mev=f4(1e5, -1, 5e4),
        tx=f4(1, 2, 3),
        ty=f4(-1, -2, -3),
        m=f4(0, 0.5, 0),
        pdg=np.array([11, 0, 13], dtype=np.int32),
        bit=np.array([True, False, True]),
    )
    events = EventReader(layout).read(file)
    nan = np.nan
    expected = [[100, nan, nan, 1, -1, nan], [nan, nan, nan, 2, -2, nan], [50, nan, nan, 3, -3, nan]]
    np.testing.assert_allclose(events.track, f4(*expected))
    assert events.columns.keys() == {"mass", "parent", "trigger"}
    np.testing.assert_array_equal(events.columns["mass"], f4(nan, 0.5, nan))
    np.testing.assert_array_equal(events.columns["parent"], [11, nan, 13])
    assert events.columns["trigger"].tolist() == [True, False, True]


def test_optional_impact_point_falls_back_to_the_conditions(
    tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any]
) -> None:
    layout = layout_file(srd, track={name: {"branch": f"t{name}", "optional": True} for name in "xy"})
    without = EventReader(layout).read(tree_file(SRD_ene=ones()))
    assert without.track[:, 3:5].tolist() == [[4, 3]] * 3
    found = EventReader(layout).read(tree_file(SRD_ene=ones(), tx=f4(1, 2, 3), ty=f4(1, 2, 3)))
    assert found.track[:, 3:5].tolist() == [[1, 1], [2, 2], [3, 3]]


def test_truth_and_weights(tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any]) -> None:
    file = tree_file(SRD_ene=ones(), label=np.array([1, 0, 1], dtype=np.int32), w=f4(2, 4e-5, 0))
    events = EventReader(layout_file(srd, truth=TRUTH)).read(file)
    assert events.processes == ("dark_photon", "dimuon")
    assert events.process.tolist() == [1, 0, 1]
    np.testing.assert_allclose(events.weight, [2, 4e-5, 0], rtol=1e-6)


def test_files_without_truth_are_data(tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any]) -> None:
    events = EventReader(layout_file(srd, truth=TRUTH)).read(tree_file(SRD_ene=ones()))
    assert events.process.tolist() == [UNKNOWN_PROCESS] * 3
    assert not events.has_truth
    assert events.weight.tolist() == [1, 1, 1]


def test_simulation_must_have_the_weights_of_its_layout(
    tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any]
) -> None:
    """Weights differ by orders of magnitude, so taking 1 instead would go wrong quietly."""
    file = tree_file(SRD_ene=ones(), label=np.zeros(3, dtype=np.int32))
    with pytest.raises(InputError, match=r"branch 'w' \(layout key truth.weight\) is missing"):
        EventReader(layout_file(srd, truth=TRUTH)).read(file)


@pytest.mark.parametrize("label", [2, -1])
def test_label_outside_the_names(tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any], label: int) -> None:
    file = tree_file(SRD_ene=ones(), label=np.array([0, 1, label], dtype=np.int32), w=f4(1, 1, 1))
    with pytest.raises(InputError, match=rf"{file}: branch 'label' has the value {label}, .* 2 processes.*names"):
        EventReader(layout_file(srd, truth=TRUTH)).read(file)


@pytest.mark.parametrize("weight", [-1.0, np.nan, np.inf])
def test_bad_weights(tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any], weight: float) -> None:
    file = tree_file(SRD_ene=ones(), label=np.zeros(3, dtype=np.int32), w=f4(1, weight, 1))
    with pytest.raises(InputError, match=rf"{file}: branch 'w' has the value {weight}; .*truth.weight"):
        EventReader(layout_file(srd, truth=TRUTH)).read(file)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"spill": f4(1, 1.5, 2)}, "branch 'spill' has the type float32, an integer is needed"),
        ({"label": f4(0, 1, 0), "w": f4(1, 1, 1)}, "branch 'label' has the type float32, an integer is needed"),
        (
            {"label": np.zeros(3, dtype=np.int32), "w": ak.values_astype(ak.Array([[1], [], [2]]), np.float32)},
            "branch 'w' is not one number per event",
        ),
        ({"spill": np.ones((3, 2), dtype=np.int32)}, "branch 'spill' is not one number per event"),
    ],
)
def test_event_level_branches_of_another_type(
    tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any], columns: dict[str, Any], message: str
) -> None:
    file = tree_file(SRD_ene=ones(), **columns)
    with pytest.raises(InputError, match=f"{file}: {message}"):
        EventReader(layout_file(srd, truth=TRUTH)).read(file)


def test_missing_branches_are_all_named_with_similar_ones(
    tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any]
) -> None:
    file = tree_file(SRD_enes=ones())
    with pytest.raises(InputError) as caught:
        EventReader(layout_file(srd, track={"p": {"branch": "momentum"}})).read(file)
    message = str(caught.value)
    assert message.startswith(f"{file}: tree 'tree': ")
    assert "branch 'SRD_ene' (layout key detectors[0].energy) is missing; similar branches: SRD_enes" in message
    assert "branch 'momentum' (layout key track.p) is missing" in message
    assert "na64ml inspect" in message


def test_empty_tree(
    tree_file: TreeFile,
    layout_file: LayoutFile,
    srd: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    reader = EventReader(layout_file(srd))
    empty = tree_file("empty.root", n_events=0, SRD_ene=ones(0))
    with pytest.raises(InputError, match=r"empty\.root: tree 'tree' has no events"):
        reader.read(empty)
    whole = tree_file("whole.root", SRD_ene=ones())
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        assert len(reader.read([empty, whole])) == 3
    assert [record.getMessage() for record in caplog.records] == [f"{empty}: tree 'tree' is empty"]


def test_reco2018tree(tree_file: TreeFile) -> None:
    """The branches of the public tree (physics.md 7.3) [V-code]."""
    n_events = 4
    rng = np.random.default_rng(3)
    scalars = ("masterTime", "S0_amp", "S0_t0", "ecalTotal", "ecal0", "ecal1", "srdTotal", "showerChi2")
    hcal = rng.uniform(0.1, 3, (n_events, 4)).astype(np.float32)
    hcal[1] = 0
    ecal = rng.uniform(0.1, 9, (n_events, 2, 6, 6)).astype(np.float32)
    srd = rng.uniform(0.001, 0.02, (n_events, 4)).astype(np.float32)
    time = np.full((n_events, 2, 6, 6), 3, dtype=np.float32)
    time[0, 1, 3, 3] = -1000
    file = tree_file(
        n_events=n_events,
        run=4000,
        runevent=np.arange(n_events, dtype=np.int32),
        isTriggerPhysics=np.array([True, False, True, True]),
        ECAL_ene=ecal,
        ECAL_t0=time,
        SRD_ene=srd,
        SRD_t0=np.ones((n_events, 4), dtype=np.float32),
        VETO_ene=np.zeros((n_events, 6), dtype=np.float32),
        VETO_t0=np.zeros((n_events, 6), dtype=np.float32),
        **{f"hcal{i}": hcal[:, i] for i in range(4)},
        **{name: np.full(n_events, 1.5, dtype=np.float32) for name in scalars},
    )
    events = EventReader("reco2018tree").read(file)
    assert events.detectors == ("SRD", "ECAL", "VETO", "HCAL")
    assert events.hits_per_event.tolist() == [79, 75, 79, 79]
    energy = {name: events.hits[events.detector == i, 3] for i, name in enumerate(events.detectors)}
    np.testing.assert_array_equal(energy["ECAL"], ecal.ravel())
    np.testing.assert_array_equal(energy["SRD"], srd[:, :3].ravel())
    np.testing.assert_array_equal(energy["HCAL"], hcal[[0, 2, 3]].ravel())
    assert len(energy["VETO"]) == 0
    times = events.hits[events.detector == 1, 4].reshape(n_events, 2, 6, 6)
    np.testing.assert_array_equal(times, np.where(time == -1000, np.nan, time))
    assert np.isnan(events.track[:, 0]).all()
    assert events.track[:, 3:5].tolist() == [[4, 3]] * n_events
    assert events.columns.keys() == {"master_time", "shower_chi2_reco", "trigger_physics"}
    assert not events.has_truth
