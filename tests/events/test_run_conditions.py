"""Gains, dead channels and the impact point come from the conditions of each run."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import yaml

from na64ml.errors import ConfigError
from na64ml.events.reader import EventReader
from na64ml.setups.conditions import Conditions, load_conditions

TreeFile = Callable[..., Path]
LayoutFile = Callable[..., str]


def f4(*values: Any) -> np.ndarray:
    return np.array(values, dtype=np.float32)


@pytest.fixture
def two_periods(tmp_path: Path) -> Conditions:
    """Run 1: calibrated, one dead ECAL cell and one dead module. Run 2: other gains."""
    first = {
        "runs": {"value": [1, 1], "source": "?: made up"},
        "impact_cell": {"value": [3, 3], "source": "?: made up"},
        "gains": {"SRD": [2.0, 3.0, 4.0]},
        "dead": {"SRD": [[1]], "MM": [[0, 0]]},
    }
    second = {
        "runs": {"value": [2, 2], "source": "?: made up"},
        "impact_cell": {"value": [2, 3], "source": "?: made up"},
        "gains": {"SRD": 0.5},
    }
    path = tmp_path / "conditions.yaml"
    path.write_text(yaml.safe_dump({"setup": "na64e_reference", "ranges": [first, second]}))
    return load_conditions(str(path))


@pytest.mark.parametrize("runs", [[1, 2, 1], [1, 1, 1], [2, 2, 2]])
def test_gains_and_dead_channels_follow_the_run(
    tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any], two_periods: Conditions, runs: list[int]
) -> None:
    reader = EventReader(layout_file(srd), conditions=two_periods)
    columns = {"SRD_ene": f4([1, 1, 1], [1, 1, 1], [0, 1, 10])}
    file = tree_file(run=np.array(runs, dtype=np.int32), **columns)
    gain = {1: (2.0, None, 4.0), 2: (0.5, 0.5, 0.5)}
    expected = [
        [(i, float(raw) * g) for i, (raw, g) in enumerate(zip(event, gain[run], strict=True)) if g and raw]
        for event, run in zip(columns["SRD_ene"], runs, strict=True)
    ]
    events = reader.read(file)
    found = list(zip(events.channel.tolist(), events.hits[:, 3].tolist(), strict=True))
    assert [found[a:b] for a, b in pairwise(events.offsets)] == expected


def test_dead_tracker_projections_are_left_out(
    tree_file: TreeFile, layout_file: LayoutFile, two_periods: Conditions
) -> None:
    block = {"form": "projections", "detector": "MM", "planes": {"MM5": {"x": "MM5X", "y": "MM5Y"}}}
    lists = ak.values_astype(ak.Array([[1.0, 2.0], [3.0], [4.0]]), np.float32)
    file = tree_file(run=np.array([1, 2, 1], dtype=np.int32), MM5X=lists, MM5Y=lists)
    events = EventReader(layout_file(block), conditions=two_periods).read(file)
    assert events.hits_per_event.tolist() == [2, 2, 1]
    assert events.channel.tolist() == [1, 1, 0, 1, 1]
    assert events.hits[:, :2].tolist() == [[0, 1], [0, 2], [3, 0], [0, 3], [0, 4]]


def test_impact_point_where_there_is_no_track(
    tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any], two_periods: Conditions
) -> None:
    file = tree_file(run=np.array([1, 2, 1], dtype=np.int32), SRD_ene=np.ones((3, 3), dtype=np.float32))
    track = EventReader(layout_file(srd), conditions=two_periods).read(file).track
    # cell (3, 3) lies on the beam axis, cell (2, 3) one cell width beside it; the beam offset is (4, 3) mm
    np.testing.assert_allclose(track[:, 3:5], f4([4, 3], [4 - 38.2, 3], [4, 3]), atol=1e-4)
    assert np.isnan(track[:, [0, 1, 2, 5]]).all()


def test_runs_without_conditions_are_named(
    tree_file: TreeFile, layout_file: LayoutFile, srd: dict[str, Any], two_periods: Conditions
) -> None:
    file = tree_file(run=3, SRD_ene=np.ones((3, 3), dtype=np.float32))
    with pytest.raises(ConfigError, match=rf"{file}: .*no range has run 3"):
        EventReader(layout_file(srd), conditions=two_periods).read(file)
