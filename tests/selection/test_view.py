import numpy as np
import pytest

from na64ml.errors import ConfigError, InputError
from na64ml.events.layout import load_layout
from na64ml.selection.absent import AbsentInputError, absent_inputs
from na64ml.selection.view import EventView
from na64ml.setups.setup import load_setup


def test_cells_are_dense_and_zero_without_hits(make_view, hit):
    view = make_view([[hit("ECAL", (1, 3, 2), 20.0)], [], [hit("ECAL", (0, 0, 5), 0.5), hit("HCAL", (2, 1, 1), 3.0)]])
    cells = view.cells("ECAL")
    assert cells.shape == (3, 2, 6, 6)
    assert cells[0, 1, 3, 2] == 20.0
    assert cells[2, 0, 0, 5] == 0.5
    assert cells.sum() == 20.5
    assert view.cells("HCAL")[2, 2, 1, 1] == 3.0
    assert view.cells("SRD").shape == (3, 3)


def test_several_hits_in_a_cell_add_up_and_the_largest_gives_the_time(make_view, hit):
    view = make_view([[hit("ECAL", (1, 3, 3), 9.0, 1.5), hit("ECAL", (1, 3, 3), 1.0, 40.0)]])
    assert view.cells("ECAL")[0, 1, 3, 3] == 10.0
    assert view.times("ECAL")[0, 1, 3, 3] == 1.5
    assert np.isnan(view.times("ECAL")).sum() == 71


def test_tracker_hits(make_view):
    view = make_view([[("ST", 2, 12.0, 0.0), ("ST", 2, -3.0, 0.0), ("ST", 3, 7.0, 0.0)], [], [("ST", 2, 1.0, 0.0)]])
    counts = view.hit_counts("ST")
    assert counts.shape == (3, 2, 2)
    assert counts[:, 1, 0].tolist() == [2, 0, 1]
    event, x = view.coordinates("ST03X")
    assert event.tolist() == [0, 0, 2]
    assert x.tolist() == [12.0, -3.0, 1.0]
    assert view.coordinates("ST03Y")[1].tolist() == [7.0]


def test_impact_cell_follows_the_run(make_view):
    assert make_view([[], []]).impact_cell.tolist() == [[3, 3], [3, 3]]
    with pytest.raises(ConfigError, match="1234"):
        _ = make_view([[]], run=1234).impact_cell


def test_beam_energy_follows_the_run(make_view, at_beam_energy):
    view = make_view([[], []])
    assert view.beam_energy.tolist() == [100, 100]
    assert at_beam_energy(view, 150.0).beam_energy.tolist() == [150, 150]
    with pytest.raises(ConfigError, match="1234"):
        _ = make_view([[]], run=1234).beam_energy


def test_channel_outside_the_detector_is_an_error(make_view):
    view = make_view([[("ECAL", 71, 1.0, 0.0)]])
    view.batch.channel[0] = 72
    with pytest.raises(InputError, match="channel 72 of ECAL"):
        view.cells("ECAL")


def test_missing_inputs_are_named(make_view):
    view = make_view([[]], absent=("track.p", "HCAL.time", "ST03X"))
    with pytest.raises(AbsentInputError, match=r"track\.p"):
        view.track("p")
    with pytest.raises(AbsentInputError, match=r"HCAL\.time"):
        view.times("HCAL")
    with pytest.raises(AbsentInputError, match="ST03X"):
        view.coordinates("ST03X")
    with pytest.raises(AbsentInputError, match=r"ST99X.*ST03X"):
        view.coordinates("ST99X")
    with pytest.raises(AbsentInputError, match="master_time"):
        view.column("master_time")
    with pytest.raises(AbsentInputError, match="BGO"):
        view.cells("BGO")


def test_absent_inputs_of_the_shipped_layouts():
    reference = absent_inputs(load_layout("na64e_reference"), load_setup("na64e_reference"))
    assert "SRD.time" in reference
    assert not {"track.p", "ECAL.time", "HCAL.cells", "ST03X"} & reference
    student = absent_inputs(load_layout("reco2018tree"), load_setup("na64e_2018"))
    assert {"track.p", "HCAL.cells", "HCAL.time"} <= student
    assert "ECAL.time" not in student


def test_no_events(make_view):
    view = make_view([])
    assert view.cells("ECAL").shape == (0, 2, 6, 6)
    assert view.times("HCAL").shape == (0, 4, 3, 3)
    assert isinstance(view, EventView)
