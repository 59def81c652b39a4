"""Fixed arrays and one branch per channel."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

from na64ml.errors import ConfigError, InputError
from na64ml.events.batch import HIT_FEATURES, EventBatch
from na64ml.events.reader import EventReader
from na64ml.setups.setup import load_setup

TreeFile = Callable[..., Path]
LayoutFile = Callable[..., str]
NAN = np.nan
Hit = tuple[str, int, float, float]


def listed(events: EventBatch) -> list[list[Hit]]:
    """Return detector, channel, energy and time of the hits of each event."""
    energy, time = (events.hits[:, HIT_FEATURES.index(name)] for name in ("energy", "time"))
    rows = [
        (events.detectors[detector], int(channel), round(float(e), 5), round(float(t), 5))
        for detector, channel, e, t in zip(events.detector, events.channel, energy, time, strict=True)
    ]
    return [rows[events.offsets[i] : events.offsets[i + 1]] for i in range(len(events))]


def same(found: list[list[Hit]], expected: list[list[Hit]]) -> bool:
    return str(found) == str(expected)  # NaN is not equal to itself


def f4(*values: Any) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_sentinels_and_units(tree_file: TreeFile, layout_file: LayoutFile) -> None:
    layout = layout_file(
        {
            "form": "array",
            "detector": "SRD",
            "energy": {"branch": "e", "empty": -1.0, "scale": 0.001},
            "time": {"branch": "t", "missing": -1000.0, "scale": 12.5},
        }
    )
    file = tree_file(e=f4([13, -1, 0], [-1, -1, -1], [-1, 5, 7]), t=f4([2, 3, -1000], [1, 1, 1], [-1000, -4, 80]))
    expected = [
        [("SRD", 0, 0.013, 25.0), ("SRD", 2, 0.0, NAN)],
        [],
        [("SRD", 1, 0.005, -50.0), ("SRD", 2, 0.007, 1000.0)],
    ]
    assert same(listed(EventReader(layout).read(file)), expected)


def test_without_a_sentinel_every_channel_is_a_hit(tree_file: TreeFile, layout_file: LayoutFile) -> None:
    layout = layout_file({"form": "array", "detector": "SRD", "energy": {"branch": "e"}})
    events = EventReader(layout).read(tree_file(e=f4([0, 0, 1], [0, 0, 0], [2, 0, 0])))
    assert events.hits_per_event.tolist() == [3, 3, 3]


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.5])
def test_bad_energies_are_kept(tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any], value: float) -> None:
    """The status of such an event is for the network to say; here nothing is dropped."""
    events = EventReader(layout_file(srd)).read(tree_file(n_events=2, SRD_ene=f4([0, value, 1], [1, 0, 0])))
    assert same(listed(events), [[("SRD", 1, value, NAN), ("SRD", 2, 1.0, NAN)], [("SRD", 0, 1.0, NAN)]])


@pytest.mark.parametrize("shape", [(2, 6, 6), (72,)])
def test_array_of_a_whole_calorimeter(tree_file: TreeFile, layout_file: LayoutFile, shape: tuple[int, ...]) -> None:
    energy = np.zeros((2, 72), dtype=np.float32)
    energy[0, [0, 40, 71]] = 1, 2, 3
    layout = layout_file({"form": "array", "detector": "ECAL", "energy": {"branch": "e", "empty": 0.0}})
    events = EventReader(layout).read(tree_file(n_events=2, e=energy.reshape(2, *shape)))
    assert [hit[1:3] for hit in listed(events)[0]] == [(0, 1.0), (40, 2.0), (71, 3.0)]


def test_one_array_per_segment(tree_file: TreeFile, layout_file: LayoutFile) -> None:
    preshower, main = np.zeros((2, 1, 6, 6), dtype=np.float32)
    preshower[0, 3, 2], main[0, 3, 3] = 0.5, 40
    blocks = [
        {"form": "array", "detector": "ECAL", "segment": i, "energy": {"branch": name, "empty": 0.0}}
        for i, name in enumerate(("ecal0", "ecal1"))
    ]
    reader = EventReader(layout_file(*blocks))
    assert reader.detectors == ("ECAL",)
    events = reader.read(tree_file(n_events=1, ecal0=preshower, ecal1=main))
    assert [hit[1:3] for hit in listed(events)[0]] == [(3 * 6 + 2, 0.5), (36 + 3 * 6 + 3, 40.0)]


def test_a_channel_is_read_once(layout_file: LayoutFile) -> None:
    blocks = [
        {"form": "array", "detector": "ECAL", "segment": 0, "energy": {"branch": name, "empty": 0.0}}
        for name in ("ecal0", "ecal1")
    ]
    with pytest.raises(ConfigError, match=r"detectors\[1\]: an earlier block reads channel 0 of ECAL.*leave one out"):
        EventReader(layout_file(*blocks))


def test_entries_choose_and_order_the_values_of_an_array(tree_file: TreeFile, layout_file: LayoutFile) -> None:
    layout = layout_file(
        {"form": "array", "detector": "SRD", "entries": [3, 0, 1], "energy": {"branch": "e", "empty": 0.0}}
    )
    events = EventReader(layout).read(tree_file(n_events=1, e=f4([10, 20, 30, 40])))
    assert [hit[1:3] for hit in listed(events)[0]] == [(0, 40.0), (1, 10.0), (2, 20.0)]


def test_one_branch_per_cell(tree_file: TreeFile, layout_file: LayoutFile) -> None:
    names = [f"HCAL_{m}_{x}{y}" for m in range(4) for x in range(3) for y in range(3)]
    values = np.zeros((2, 36), dtype=np.float32)
    values[1, [4, 35]] = 1.5, 2.5
    layout = layout_file(
        {
            "form": "branches",
            "detector": "HCAL",
            "energy": {"branch": "HCAL_{segment}_{x}{y}", "empty": 0.0},
            "time": {"branch": "t_{i}", "missing": -1000.0},
        }
    )
    times = {f"t_{i}": f4(i, -1000 if i == 4 else i) for i in range(36)}
    file = tree_file(n_events=2, **dict(zip(names, values.T, strict=True)), **times)
    events = EventReader(layout).read(file)
    assert same(listed(events), [[], [("HCAL", 4, 1.5, NAN), ("HCAL", 35, 2.5, 35.0)]])
    x, y, z = load_setup("na64e_reference").detector("HCAL").channels.position[4]
    np.testing.assert_allclose(events.hits[0, :3], (x, y, z), rtol=1e-6)


def test_one_branch_per_counter(tree_file: TreeFile, layout_file: LayoutFile) -> None:
    layout = layout_file({"form": "branches", "detector": "SRD", "energy": {"branch": "SRD{i}", "empty": 0.0}})
    events = EventReader(layout).read(tree_file(n_events=1, SRD0=f4(1), SRD1=f4(0), SRD2=f4(3)))
    assert [hit[1:3] for hit in listed(events)[0]] == [(0, 1.0), (2, 3.0)]


def test_sums_of_segments_are_placed_at_the_central_cell(tree_file: TreeFile, layout_file: LayoutFile) -> None:
    layout = layout_file(
        {
            "form": "branches",
            "detector": "HCAL",
            "granularity": "segment",
            "energy": {"branch": "hcal{segment}", "empty": 0.0},
        }
    )
    events = EventReader(layout).read(tree_file(n_events=1, **{f"hcal{i}": f4(i) for i in range(4)}))
    assert [hit[1:3] for hit in listed(events)[0]] == [(i * 9 + 4, float(i)) for i in (1, 2, 3)]
    channels = load_setup("na64e_reference").detector("HCAL").channels
    assert [channels.label[c] for c in events.channel] == [f"HCAL[{i}][1][1]" for i in (1, 2, 3)]


@pytest.mark.parametrize(
    ("form", "shape"), [("array", (2, 5, 6)), ("array", (60,)), ("array", (2, 6, 5)), ("array", (2, 6, 6))]
)
@pytest.mark.parametrize("setup", ["na64e_2022", "na64e_2023"])
def test_five_columns_of_cells(
    tree_file: TreeFile, layout_file: LayoutFile, setup: str, form: str, shape: tuple[int, ...]
) -> None:
    """An array with x and y exchanged has the right number of values, and is refused all the same."""
    layout = layout_file(
        {"form": form, "detector": "ECAL", "energy": {"branch": "ECAL_ene", "empty": 0.0}},
        setup=setup,
        conditions=setup,
    )
    energy = np.zeros((1, *shape), dtype=np.float32)
    energy.reshape(1, -1)[0, 2 * 6 + 3] = 50
    file = tree_file(n_events=1, run=7000, ECAL_ene=energy)
    if shape in {(2, 6, 5), (2, 6, 6)}:
        with pytest.raises(InputError, match=r"'ECAL_ene' holds \[2\]\[6\]\[.\] .* needs \[2\]\[5\]\[6\]"):
            EventReader(layout).read(file)
        return
    reader = EventReader(layout)
    events = reader.read(file)
    assert [hit[1:3] for hit in listed(events)[0]] == [(2 * 6 + 3, 50.0)]
    assert reader.setup.detector("ECAL").channels.label[15] == "ECAL[0][2][3]"
    # the beam hits cell (2, 3) in these runs; the shift is the mean of the beam spot
    np.testing.assert_allclose(events.track[0, 3:5] - events.hits[0, :2], (4, 3), atol=1e-5)


def test_optional_times(tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any]) -> None:
    layout = layout_file(srd | {"time": {"branch": "SRD_t0", "optional": True}})
    without = EventReader(layout).read(tree_file(n_events=1, SRD_ene=f4([1, 0, 0])))
    assert same(listed(without), [[("SRD", 0, 1.0, NAN)]])
    present = EventReader(layout).read(tree_file(n_events=1, SRD_ene=f4([1, 0, 0]), SRD_t0=f4([2, 3, 4])))
    assert same(listed(present), [[("SRD", 0, 1.0, 2.0)]])


def test_optional_detector(
    tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    veto = {"form": "array", "detector": "VETO", "energy": {"branch": "VETO_ene", "optional": True}}
    reader = EventReader(layout_file(srd, veto))
    events = reader.read(tree_file(n_events=1, SRD_ene=f4([1, 0, 0])))
    assert events.detectors == ("SRD", "VETO")
    assert events.hits_per_event.tolist() == [1]
    assert "has no branch of VETO, which is optional: it has no energy" in caplog.text
    events = reader.read(tree_file(n_events=1, SRD_ene=f4([1, 0, 0]), VETO_ene=f4([1, 2, 3, 4, 5, 6])))
    assert events.hits_per_event.tolist() == [7]


def test_half_of_the_optional_branches_is_an_error(tree_file: TreeFile, layout_file: LayoutFile) -> None:
    layout = layout_file({"form": "branches", "detector": "SRD", "energy": {"branch": "SRD{i}", "optional": True}})
    with pytest.raises(InputError, match=r"events\.root.*SRD.*detectors\[0\]\.energy.*missing: SRD1, SRD2"):
        EventReader(layout).read(tree_file(n_events=1, SRD0=f4(1)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (f4([1, 2], [1, 2], [1, 2]), r"'SRD_ene' holds \[2\] per event, detector SRD .* needs \[3\]"),
        (f4(1, 2, 3), "'SRD_ene' holds one number per event"),
        (ak.values_astype(ak.Array([[1, 2, 3], [1], []]), np.float32), "'SRD_ene' is not a fixed array of numbers"),
    ],
)
def test_wrong_shapes(
    tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any], values: Any, message: str
) -> None:
    file = tree_file(SRD_ene=values)
    with pytest.raises(InputError, match=rf"{file}: branch {message}"):
        EventReader(layout_file(srd)).read(file)


def test_array_too_short_for_the_entries(tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any]) -> None:
    file = tree_file(SRD_ene=f4([1, 2, 3], [1, 2, 3], [1, 2, 3]))
    with pytest.raises(InputError, match=r"holds \[3\] per event, detector SRD of this layout needs at least \[4\]"):
        EventReader(layout_file(srd | {"entries": [0, 1, 3]})).read(file)


def test_array_where_one_number_per_channel_is_needed(tree_file: TreeFile, layout_file: LayoutFile) -> None:
    layout = layout_file({"form": "branches", "detector": "SRD", "energy": {"branch": "SRD{i}"}})
    file = tree_file(n_events=1, SRD0=f4(1), SRD1=f4([1, 2]), SRD2=f4(3))
    with pytest.raises(InputError, match=r"'SRD1' holds \[2\] per event, detector SRD .* needs one number"):
        EventReader(layout).read(file)
