"""The simple selection through layout, reader and cut trees against plain numpy on the branches."""

import numpy as np
import pytest
import uproot

from na64ml.events.reader import EventReader
from na64ml.resources import shipped
from na64ml.selection.absent import absent_inputs
from na64ml.selection.blinding import Blinding
from na64ml.selection.cutflow import CutFlow
from na64ml.selection.mode import load_mode
from na64ml.selection.selection import load_selection
from na64ml.selection.variables import compute
from na64ml.selection.view import EventView

FILE = shipped("datasets") / "na64e_reference.root"


@pytest.fixture(scope="module")
def branches():
    with uproot.open(f"{FILE}:tree") as tree:
        return tree.arrays(library="np")


@pytest.fixture(scope="module")
def views():
    reader = EventReader("na64e_reference")
    absent = absent_inputs(reader.layout, reader.setup)
    return [EventView(batch, reader.setup, reader.conditions, absent) for batch in reader.iterate(FILE, 1000)]


def test_simple_selection_agrees_with_numpy(branches, views):
    ecal = branches["ECAL_ene"].sum(axis=(1, 2, 3), dtype=np.float64)
    straws = np.array([len(hits) for hits in branches["ST03X"]])
    expected = (
        (ecal < 50)
        & (branches["ECAL_ene"][:, 0].sum(axis=(1, 2), dtype=np.float64) > 0.3)
        & (np.abs(branches["track_p"] - 100) < 10)
        & np.all((branches["SRD_ene"] > 0.001) & (branches["SRD_ene"] < 0.08), axis=1)
        & (straws <= 3)
        & (branches["VETO_ene"].sum(axis=1, dtype=np.float64) < 0.01)
        & (branches["VHCAL_ene"].sum(axis=(1, 2), dtype=np.float64) < 0.5)
        & (branches["HCAL_ene"][:, :3].sum(axis=(1, 2, 3), dtype=np.float64) < 1)
    )
    simple = load_selection("simple")
    passed = np.concatenate([simple.apply(view).passed for view in views])
    np.testing.assert_array_equal(passed, expected)
    mode = load_mode("na64e_invisible")
    flow = CutFlow(simple, Blinding(mode))
    for view in views:
        flow.fill(view, simple.apply(view))
    surviving = flow.to_rows()[-1].counts
    counts = np.bincount(branches["mc_label"][expected], minlength=7)
    assert [surviving[name].events for name in mode.classes] == counts.tolist()
    assert counts.tolist() == [780, 5, 0, 160, 0, 0, 0]  # the card of the sample


def test_two_muons_in_one_veto_plane_leave_twice_a_mip(views):
    # physics.md 8 #6: median 21.4 MeV. Two muons: more than 1.3 MIP in the first HCAL modules
    names = ("veto_plane:0", "veto_plane:1", "veto_plane:2", "hcal_module:0", "hcal_module:1")
    rows = [np.stack(list(compute(names, view).values()), axis=1) for view in views]
    planes, hcal = np.split(np.concatenate(rows), [3], axis=1)
    label = np.concatenate([load_mode("na64e_invisible").label(view.batch) for view in views])
    quiet = np.sort(planes, axis=1)[:, 1] < 0.003
    chosen = planes.max(axis=1)[(label == 4) & quiet & (hcal > 2.5).all(axis=1)]
    assert len(chosen) > 300
    assert np.median(chosen) == pytest.approx(0.0214, rel=0.10)


def test_shower_chi2_separates_on_the_run_that_did_not_tune_it():
    reader = EventReader("na64e_reference")
    batch = reader.read(shipped("datasets") / "na64e_reference_b.root")
    assert set(batch.ids[:, 0]) == {6511}
    view = EventView(batch, reader.setup, reader.conditions)
    values = compute(["shower_chi2", "ecal_energy"], view)
    label = load_mode("na64e_invisible").label(batch)
    signal = values["shower_chi2"][(label == 0) & (values["ecal_energy"] > 10)]
    upstream = values["shower_chi2"][label == 1]
    assert 0.5 < np.median(signal) < 2.5
    assert np.median(upstream) > 3 * np.quantile(signal, 0.9)
