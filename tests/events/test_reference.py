"""The reference file through its layout is the file as uproot reads it."""

from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

from na64ml.events.batch import HIT_FEATURES, TRACK_FEATURES, EventBatch
from na64ml.events.reader import EventReader
from na64ml.resources import shipped
from na64ml.setups.channels import AXIS_BOTH, AXIS_X, AXIS_Y

FILES = {"na64e_reference.root": 5025, "na64e_reference_b.root": 2010}
CELL = 38.2


@pytest.fixture(scope="module", params=FILES)
def file(request: pytest.FixtureRequest) -> str:
    return str(shipped("datasets") / request.param)


@pytest.fixture(scope="module")
def tree(file: str) -> dict[str, Any]:
    with uproot.open(file) as root:
        return dict(root["tree"].arrays(library="ak", how=dict))


@pytest.fixture(scope="module")
def events(file: str) -> EventBatch:
    return EventReader("na64e_reference").read(file)


def hits_of(events: EventBatch, detector: str) -> tuple[dict[str, Any], np.ndarray, np.ndarray]:
    mask = events.detector == events.detector_index(detector)
    columns = dict(zip(HIT_FEATURES, events.hits[mask].T, strict=True))
    return columns, events.event[mask], events.channel[mask]


def test_number_of_events(file: str, events: EventBatch) -> None:
    assert len(events) == FILES[file.rsplit("/", 1)[1]]


@pytest.mark.parametrize(
    ("detector", "has_time"), [("SRD", False), ("VHCAL", False), ("ECAL", True), ("VETO", False), ("HCAL", True)]
)
def test_cells(events: EventBatch, tree: dict[str, Any], detector: str, has_time: bool) -> None:
    raw = ak.to_numpy(tree[f"{detector}_ene"]).reshape(len(events), -1)
    event, channel = np.nonzero(raw)
    hits, found_event, found_channel = hits_of(events, detector)
    np.testing.assert_array_equal(found_event, event)
    np.testing.assert_array_equal(found_channel, channel)
    np.testing.assert_array_equal(hits["energy"], raw[event, channel])
    assert set(hits["axis"]) == {AXIS_BOTH}
    if has_time:
        time = ak.to_numpy(tree[f"{detector}_t0"]).reshape(len(events), -1)[event, channel]
        np.testing.assert_array_equal(hits["time"], np.where(time == -1000, np.nan, time))
    else:
        assert np.isnan(hits["time"]).all()


@pytest.mark.parametrize(
    ("detector", "plane", "z"),
    [("MM", "MM5", -12000.0), ("ST", "ST05", -5000.0), ("MM", "MM6", -1800.0), ("ST", "ST03", -1600.0)],
)
@pytest.mark.parametrize(("projection", "axis", "other"), [("x", AXIS_X, "y"), ("y", AXIS_Y, "x")])
def test_projections(
    events: EventBatch,
    tree: dict[str, Any],
    detector: str,
    plane: str,
    z: float,
    projection: str,
    axis: int,
    other: str,
) -> None:
    lists = tree[plane + projection.upper()]
    hits, event, _ = hits_of(events, detector)
    mine = (hits["z"] == np.float32(z)) & (hits["axis"] == axis)
    np.testing.assert_array_equal(np.bincount(event[mine], minlength=len(events)), ak.num(lists))
    np.testing.assert_array_equal(hits[projection][mine], ak.flatten(lists))
    assert (hits[other][mine] == 0).all()
    assert (hits["energy"][mine] == 0).all()
    assert np.isnan(hits["time"][mine]).all()


def test_positions_are_those_of_the_data_card(events: EventBatch) -> None:
    hits, _, channel = hits_of(events, "ECAL")
    segment, ix, iy = np.unravel_index(channel, (2, 6, 6))
    np.testing.assert_allclose(hits["x"], (ix - 3) * CELL, atol=1e-4)
    np.testing.assert_allclose(hits["y"], (iy - 3) * CELL, atol=1e-4)
    layer = 3.0  # 1.5 Pb + 1.5 Sc, 16 of the 150 layers are the preshower
    np.testing.assert_allclose(hits["z"], np.array([8 * layer, 83 * layer])[segment])

    hits, _, channel = hits_of(events, "HCAL")
    module, ix, iy = np.unravel_index(channel, (4, 3, 3))
    on_axis = module < 3
    np.testing.assert_allclose(hits["x"][on_axis], -19.1 + (ix[on_axis] - 1) * 200, atol=1e-3)
    np.testing.assert_allclose(hits["y"][on_axis], -19.1 + (iy[on_axis] - 1) * 200, atol=1e-3)
    depth = 48 * 29.0
    np.testing.assert_allclose(hits["z"][on_axis], 700 + depth / 2 + module[on_axis] * (depth + 100), rtol=1e-6)

    hits, _, channel = hits_of(events, "VETO")
    np.testing.assert_allclose(hits["x"], -19.1 + (channel // 2 - 1) * 200, atol=1e-3)
    assert set(hits["z"]) == {575.0}

    hits, _, channel = hits_of(events, "VHCAL")
    ix, iy = np.unravel_index(channel, (4, 4))
    np.testing.assert_allclose(hits["x"], (ix - 1.5) * 125, atol=1e-3)
    np.testing.assert_allclose(hits["y"], (iy - 1.5) * 125, atol=1e-3)
    np.testing.assert_allclose(hits["z"], -300 - 30 * 29 / 2)


def test_hits_are_ordered_by_detector_and_channel_within_each_event(events: EventBatch) -> None:
    assert events.detectors == ("SRD", "VHCAL", "ECAL", "VETO", "HCAL", "MM", "ST")
    key = (events.event * 100 + events.detector) * 1000 + events.channel
    assert (np.diff(key) >= 0).all()


def test_event_columns(events: EventBatch, tree: dict[str, Any]) -> None:
    for column, branch in enumerate(("run", "spill", "spillevent")):
        np.testing.assert_array_equal(events.ids[:, column], tree[branch])
    branches = ("track_p", "track_thx", "track_thy", "track_x", "track_y", "track_chi2")
    for column, branch in enumerate(branches[: len(TRACK_FEATURES)]):
        np.testing.assert_array_equal(events.track[:, column], tree[branch])
    np.testing.assert_array_equal(events.process, tree["mc_label"])
    np.testing.assert_array_equal(events.weight, tree["mc_weight"])
    np.testing.assert_allclose(events.columns["vertex_z"], tree["mc_vertex_z"] * 1000, rtol=1e-6)
    np.testing.assert_array_equal(events.columns["pileup"], tree["mc_pileup"])
    assert events.has_truth


def test_the_labels_are_the_names_stored_in_the_file(file: str, events: EventBatch) -> None:
    with uproot.open(file) as root:
        assert tuple(str(root["labels"]).replace(",", " ").split()) == events.processes


def test_weights_of_forced_hadrons(events: EventBatch) -> None:
    forced = events.columns["srd_forced"]
    np.testing.assert_allclose(events.weight[forced], 4e-5, rtol=1e-6)
    assert {events.processes[i] for i in set(events.process[forced].tolist())} == {"decay_in_flight", "beam_hadron"}
