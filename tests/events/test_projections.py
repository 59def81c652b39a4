"""Jagged, unpaired tracker projections."""

from collections.abc import Callable
from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from na64ml.errors import InputError
from na64ml.events.reader import EventReader
from na64ml.setups.channels import AXIS_X, AXIS_Y

TreeFile = Callable[..., Path]
LayoutFile = Callable[..., str]
BLOCK = {
    "form": "projections",
    "detector": "MM",
    "scale": 10.0,
    "planes": {"MM6": {"y": "six"}, "MM5": {"x": "five", "y": "fiveY"}},
}


def lists(*values: list[float]) -> ak.Array:
    return ak.values_astype(ak.Array(list(values)), np.float32)


def test_projections_keep_their_own_counts_order_and_axis(tree_file: TreeFile, layout_file: LayoutFile) -> None:
    file = tree_file(six=lists([1.0], [], [2.0, -3.0]), five=lists([5, 4], [6], []), fiveY=lists([], [7], [8]))
    events = EventReader(layout_file(BLOCK)).read(file)
    assert events.hits_per_event.tolist() == [3, 2, 3]
    six, five = -1800.0, -12000.0
    nan = np.nan
    expected = [
        [0, 10, six, 0, nan, AXIS_Y],
        [50, 0, five, 0, nan, AXIS_X],
        [40, 0, five, 0, nan, AXIS_X],
        [60, 0, five, 0, nan, AXIS_X],
        [0, 70, five, 0, nan, AXIS_Y],
        [0, 20, six, 0, nan, AXIS_Y],
        [0, -30, six, 0, nan, AXIS_Y],
        [0, 80, five, 0, nan, AXIS_Y],
    ]
    np.testing.assert_array_equal(events.hits, np.array(expected, dtype=np.float32))
    assert events.channel.tolist() == [3, 0, 0, 0, 1, 3, 3, 1]


def test_no_hits_at_all(tree_file: TreeFile, layout_file: LayoutFile) -> None:
    empty = ak.values_astype(ak.Array([[1.0], [], []])[:, :0], np.float32)
    events = EventReader(layout_file(BLOCK)).read(tree_file(six=empty, five=empty, fiveY=empty))
    assert (len(events), events.n_hits) == (3, 0)


def test_a_branch_used_for_two_planes_gives_hits_in_both(tree_file: TreeFile, layout_file: LayoutFile) -> None:
    block = BLOCK | {"planes": {"MM5": {"x": "a"}, "MM6": {"x": "a"}}}
    events = EventReader(layout_file(block)).read(tree_file(a=lists([1], [], [2])))
    assert events.channel.tolist() == [0, 2, 0, 2]


def test_one_number_per_event_is_refused(tree_file: TreeFile, layout_file: LayoutFile) -> None:
    file = tree_file(a=np.ones(3, dtype=np.float32))
    layout = layout_file(BLOCK | {"planes": {"MM5": {"x": "a"}}})
    with pytest.raises(InputError, match=rf"{file}: branch 'a' is not a list of numbers per event"):
        EventReader(layout).read(file)
