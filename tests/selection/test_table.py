from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from na64ml.errors import InputError
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.selection.absent import AbsentInputError
from na64ml.selection.table import variable_table
from na64ml.selection.variables import compute, unit
from na64ml.selection.view import EventView
from na64ml.selection.viewer import make_viewer

NAMES = ("hcal_energy", "ecal_energy", "residual:ST03X")


@pytest.fixture(scope="module")
def view_of(reader: EventReader) -> Callable[[EventBatch], EventView]:
    return make_viewer(reader)


def test_the_columns_are_the_variables_in_order(view_of, few_events: EventBatch) -> None:
    view = view_of(few_events)
    table = variable_table(NAMES, view)
    assert table.dtype == np.float32
    for column, name in enumerate(NAMES):
        np.testing.assert_allclose(table[:, column], compute([name], view)[name], rtol=1e-6)
    assert np.isnan(table[:, 2]).any()
    assert np.isfinite(table[:, :2]).all()


def test_no_events_give_no_rows(view_of, few_events: EventBatch) -> None:
    assert variable_table(NAMES, view_of(few_events.select(slice(0, 0)))).shape == (0, 3)


def test_an_absent_input_names_the_variable(reader: EventReader, few_events: EventBatch) -> None:
    view = EventView(few_events, reader.setup, reader.conditions, absent=("ST03X",))
    with pytest.raises(AbsentInputError, match=r"analysis variable 'residual:ST03X'.*has no 'ST03X'"):
        variable_table(NAMES, view)


def test_hits_of_another_setup_are_refused(view_of, few_events: EventBatch) -> None:
    hits = few_events.hits.copy()
    row = int(np.argmax(few_events.detector == few_events.detector_index("HCAL")))
    hits[row, 2] += 1
    with pytest.raises(InputError, match=r"a hit of HCAL in channel .* has x, y, z = .*'na64e_reference' has this"):
        variable_table(NAMES, view_of(replace(few_events, hits=hits)))


def test_hits_without_channels_are_refused(view_of, few_events: EventBatch) -> None:
    with pytest.raises(InputError, match="the channels of hits"):
        variable_table(NAMES, view_of(replace(few_events, channel=np.zeros_like(few_events.channel))))


def test_what_a_tracker_measures_is_free(view_of, few_events: EventBatch) -> None:
    hits = few_events.hits.copy()
    hits[few_events.detector == few_events.detector_index("ST"), 0] += 1
    before, after = (variable_table(NAMES, view_of(events)) for events in (few_events, replace(few_events, hits=hits)))
    np.testing.assert_array_equal(before[:, :2], after[:, :2])
    assert not np.array_equal(before[:, 2], after[:, 2], equal_nan=True)


def test_units_are_those_of_the_documentation() -> None:
    found = [unit(name) for name in ("ecal_energy", "residual:ST03X", "reference_time", "track_angle", "rhcal")]
    assert found == ["GeV", "mm", "ns", "rad", ""]
