import io
import json

import numpy as np
import pytest
from rich.console import Console

from na64ml.errors import InputError
from na64ml.selection.blinding import Blinding
from na64ml.selection.cutflow import CutFlow
from na64ml.selection.cutflow_table import render
from na64ml.selection.efficiency import efficiency
from na64ml.selection.mode import load_mode
from na64ml.selection.selection import Selection

MODE = load_mode("na64e_invisible")

ECAL_CUT = {"name": "ECAL", "require": {"variable": "ecal_energy", "below": 50}}
HCAL_CUT = {"name": "HCAL", "require": {"variable": "hcal_energy", "below": 1}}
SCORE_CUT = {"name": "score", "require": {"variable": "score", "min": 0}}


def flow_of(view, *cuts, unblind=False, **extra):
    selection = Selection.model_validate({"name": "test", "cuts": cuts})
    flow = CutFlow(selection, Blinding(MODE, unblind))
    flow.fill(view, selection.apply(view, {name: np.asarray(value) for name, value in extra.items()}))
    return flow


def table(flow):
    return {row.name: row.counts for row in flow.to_rows()}


@pytest.fixture
def energies(make_view, hit):
    def make(values, **options):
        return make_view([[hit("ECAL", (1, 3, 3), value)] if value else [] for value in values], **options)

    return make


def test_counts_yields_and_intervals(energies):
    view = energies([10, 20, 60, 40], process=[0, 0, 0, 1], weight=[1.0, 2.0, 4.0, 0.5])
    rows = table(flow_of(view, ECAL_CUT))
    signal = rows["ECAL"]["dark_photon"]
    assert (signal.events, signal.rejected) == (2, 1)
    assert signal.weighted == 3
    assert signal.weighted_error == pytest.approx(np.sqrt(5))
    assert signal.weighted_efficiency == pytest.approx(3 / 7)
    assert signal.weighted_limit is None
    # Clopper-Pearson for 2 of 3: 3 low^2 - 2 low^3 = 0.05 and 1 - high^3 = 0.05
    assert 3 * signal.low**2 - 2 * signal.low**3 == pytest.approx(0.05)
    assert 1 - signal.high**3 == pytest.approx(0.05)
    assert rows["surviving"]["electroproduction"].events == 1
    assert "dimuon" not in rows["ECAL"]


def test_weighted_intervals_are_those_of_an_evaluation(energies):
    rng = np.random.default_rng(11)
    energy, weight = rng.uniform(0, 100, 200), rng.uniform(0.1, 3, 200)
    rows = table(flow_of(energies(energy, process=[1] * 200, weight=weight), ECAL_CUT))
    for name, passed in (("all events", energy > 0), ("ECAL", energy < 50)):
        count, expected = rows[name]["electroproduction"], efficiency(passed, weight)
        found = (count.weighted_efficiency, count.weighted_low, count.weighted_high)
        assert found == pytest.approx((expected.value, expected.lo, expected.hi))


def test_no_survivor_is_a_limit_from_the_largest_weight(energies):
    parts = [energies([60, 70], process=[1, 1], weight=[2.0, 4e-5]), energies([80] * 98, process=[1] * 98)]
    flow = flow_of(parts[0], ECAL_CUT) + flow_of(parts[1], ECAL_CUT)
    count = table(flow)["surviving"]["electroproduction"]
    assert count.weighted == 0
    assert count.weighted_limit == pytest.approx(np.log(10) * 2)
    assert (count.weighted_low, count.weighted_high) == pytest.approx((0, np.log(10) * 2 / 100.00004))
    assert (count.low, count.high) == pytest.approx((0, 1 - 0.1**0.01))
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(render(flow))
    text = console.export_text()
    assert "< 4.61 " in text
    assert "0 ± 0" not in text


def test_a_class_without_weight_has_no_weighted_efficiency(energies):
    count = table(flow_of(energies([10], process=[1], weight=[0.0]), ECAL_CUT))["ECAL"]["electroproduction"]
    assert (count.events, count.efficiency) == (1, 1)
    assert count.weighted_efficiency is None


def test_in_equals_out_plus_rejected_plus_not_scored(energies):
    rng = np.random.default_rng(7)
    n = 300
    view = energies(rng.uniform(0, 100, n), process=rng.integers(0, 2, n).tolist())
    status = rng.integers(0, 3, n)
    score = np.where(status == 0, rng.normal(size=n), np.nan)
    narrow = {"name": "narrow", "reject": {"variable": "prs_fraction", "min": 0.5}}
    start, unscored, *cuts, _ = flow_of(view, narrow, SCORE_CUT, ECAL_CUT, score=score, status=status).to_rows()
    assert sum(count.events for count in unscored.counts.values()) == (status != 0).sum()
    for name, count in start.counts.items():
        reaching = count.events - unscored.counts[name].events
        for row in cuts:
            assert row.counts[name].events + row.counts[name].rejected == reaching
            reaching = row.counts[name].events


def test_unscored_signal_is_lost_and_unscored_background_survives(energies):
    view = energies([10, 10, 10, 10, 60], process=[0, 0, 1, 1, 1])
    flow = flow_of(view, SCORE_CUT, ECAL_CUT, score=[5, np.nan, -5, np.nan, np.nan], status=[0, 3, 0, 1, 1])
    rows = table(flow)
    assert rows["score"]["dark_photon"].events == 1
    assert rows["score"]["electroproduction"].events == 0
    assert rows["not scored"]["dark_photon"].events == 1
    assert rows["not scored"]["electroproduction"].events == 2
    assert rows["surviving"]["dark_photon"].events == 1
    assert rows["surviving"]["electroproduction"].events == 1  # the other is above 50 GeV


def test_unreadable_events_do_not_vanish_in_a_cut_before_the_score(energies):
    view = energies([10, np.nan, np.nan, 60, 70], process=[0, 0, 1, 1, 1])
    score, status = [5, np.nan, np.nan, np.nan, 2.0], [0, 3, 3, 3, 0]
    rows = table(flow_of(view, ECAL_CUT, HCAL_CUT, SCORE_CUT, score=score, status=status))
    assert rows["not scored"]["dark_photon"].events == 1
    assert rows["not scored"]["electroproduction"].events == 2
    assert rows["ECAL"]["electroproduction"].undefined == 0
    assert rows["surviving"]["dark_photon"].events == 1
    assert rows["surviving"]["electroproduction"].events == 1  # NaN; the one of 60 GeV is rejected


def test_without_a_cut_on_the_score_there_is_no_row_for_its_status(energies):
    rows = table(flow_of(energies([10, 20]), ECAL_CUT, score=[1.0, np.nan], status=[0, 1]))
    assert list(rows) == ["all events", "ECAL", "surviving"]
    assert rows["surviving"]["dark_photon"].events == 2


def test_unscored_data_is_never_dropped(energies):
    view = energies([60, 60], process=[-1, -1])
    rows = table(flow_of(view, SCORE_CUT, score=[np.nan, -1], status=[1, 0]))
    assert rows["surviving"]["data"].events == 1


def test_undefined_and_not_applicable_events_are_counted(energies):
    view = energies([10, 0], absent=("track.p",))
    fraction = {"name": "PRS", "require": {"variable": "prs_fraction", "max": 1}}
    momentum = {"name": "p", "require": {"variable": "track_momentum", "min": 90}, "optional": True}
    rows = table(flow_of(view, fraction, momentum))
    assert rows["PRS"]["dark_photon"].undefined == 1
    assert rows["PRS"]["dark_photon"].rejected == 1
    assert rows["p"]["dark_photon"].not_applicable == 1
    assert rows["p"]["dark_photon"].events == 1


def test_batches_add_up(energies):
    parts = [energies([10, 60], process=[0, 1]), energies([20, 30, 70], process=[1, 0, 0])]
    flows = [flow_of(view, ECAL_CUT) for view in parts]
    whole = flow_of(energies([10, 60, 20, 30, 70], process=[0, 1, 1, 0, 0]), ECAL_CUT)
    assert (flows[0] + flows[1]).to_rows() == whole.to_rows()
    with pytest.raises(InputError, match="differ in cuts"):
        flows[0] + flow_of(parts[0], HCAL_CUT)
    with pytest.raises(InputError, match="only one"):
        flows[0] + flow_of(parts[0], ECAL_CUT, unblind=True)


def test_data_in_the_box_stay_hidden(energies):
    view = energies([10, 20, 60, 70, 90], process=[-1] * 5)
    flow = flow_of(view, HCAL_CUT, ECAL_CUT)
    rows = table(flow)
    assert rows["all events"]["data"].events == 3
    assert rows["HCAL"]["data"].events == 3
    assert rows["ECAL"]["data"] is None
    assert rows["surviving"]["data"] is None
    assert flow.tallies[0, :, :, 0].sum(axis=1).tolist() == [3, 0, 3, 0, 0]  # the hidden events are in no sum


def test_an_empty_box_looks_the_same_as_a_full_one(energies):
    full = flow_of(energies([10, 60], process=[-1] * 2), ECAL_CUT)
    empty = flow_of(energies([60], process=[-1]), ECAL_CUT)
    assert table(empty)["ECAL"]["data"] is None
    assert full.to_json() == empty.to_json()


def test_unblinded_data_are_counted(energies):
    view = energies([10, 20, 60], process=[-1] * 3)
    flow = flow_of(view, ECAL_CUT, unblind=True)
    assert table(flow)["ECAL"]["data"].events == 2
    assert not flow.blinded


def test_json_and_table(energies):
    view = energies([10, 60, 0], process=[0, 1, -1])
    flow = flow_of(view, ECAL_CUT)
    content = json.loads(flow.to_json())
    assert content["rows"][1]["counts"]["dark_photon"]["events"] == 1
    assert content["blinded"] is True
    console = Console(width=140, record=True, file=io.StringIO())
    console.print(render(flow))
    text = console.export_text()
    assert "blinded" in text
    assert "100 (5 - 100)" in text  # 1 of 1
    assert "< 90" in text  # 0 of 1


def test_events_of_one_shower_are_one_trial(energies):
    """The intervals of a mix of showers and single events, in two batches, are those of an evaluation with groups."""
    rng = np.random.default_rng(3)
    n = 400
    shower = rng.integers(-1, 12, n)
    energy = np.clip(30 + 4 * shower + rng.normal(0, 10, n), 1, 99)
    weight = rng.uniform(0.5, 2, n)

    def flow(which, **changes):
        columns = {"process": [1] * len(which), "weight": weight[which], "columns": {"shower_id": shower[which]}}
        return flow_of(energies(energy[which], **{**columns, **changes}), ECAL_CUT)

    halves = flow(np.arange(0, n, 2)) + flow(np.arange(1, n, 2))
    count = table(halves)["ECAL"]["electroproduction"]
    for name, weights in (("", np.ones(n)), ("weighted_", weight)):
        expected = efficiency(energy < 50, weights, shower)
        found = [getattr(count, f"{name}{end}") for end in ("efficiency", "low", "high")]
        assert found == pytest.approx([expected.value, expected.lo, expected.hi])
    alone = table(flow(np.arange(n), columns={}))["ECAL"]["electroproduction"]
    assert alone.events == count.events
    assert count.high - count.low > 1.5 * (alone.high - alone.low)
    assert count.weighted_error > 1.5 * alone.weighted_error


def test_no_survivor_of_one_shower_is_hardly_a_limit(energies):
    view = energies([60] * 50, process=[1] * 50, weight=[0.1] * 50, columns={"shower_id": [4] * 50})
    count = table(flow_of(view, ECAL_CUT))["ECAL"]["electroproduction"]
    assert (count.efficiency, count.high) == pytest.approx((0, 0.9))
    assert count.weighted_limit == pytest.approx(np.log(10) * 5)
