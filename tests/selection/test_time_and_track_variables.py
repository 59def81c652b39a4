import numpy as np
import pytest

from na64ml.errors import ConfigError
from na64ml.selection.variables import check_variable, compute, describe
from na64ml.setups.setup import load_setup


def value(view, name, event=0):
    return compute([name], view)[name][event]


def test_out_of_time_energy(make_view, hit):
    window = 4 * load_setup("na64e_reference").detector("ECAL").time_sigma.value
    event = [
        hit("ECAL", (1, 3, 3), 40.0, 10.0),
        hit("ECAL", (1, 3, 4), 1.0, 10.0 + window - 0.1),
        hit("ECAL", (1, 2, 4), 2.0, 10.0 - window - 0.1),
        hit("ECAL", (1, 0, 0), 3.0, np.nan),
        hit("HCAL", (0, 1, 1), 5.0, 60.0),
        hit("HCAL", (3, 1, 1), 7.0, 60.0),
    ]
    view = make_view([event], columns={"master_time": [10.0]})
    assert value(view, "ecal_out_of_time_energy") == 2.0
    assert value(view, "ecal_in_time_energy") == 44.0
    assert value(view, "hcal_out_of_time_energy") == 5.0
    assert value(view, "hcal_in_time_energy") == 0.0


def test_without_master_time_the_ecal_is_the_reference(make_view, hit):
    view = make_view([[hit("ECAL", (1, 3, 3), 3.0, 1.0), hit("ECAL", (0, 3, 3), 1.0, 5.0)], []])
    assert value(view, "reference_time") == 2.0
    assert np.isnan(value(view, "reference_time", event=1))


def test_energy_without_any_time_is_undefined(make_view, hit):
    view = make_view([[hit("ECAL", (1, 3, 3), 3.0, 1.0), hit("HCAL", (0, 0, 0), 3.0, np.nan)], []])
    assert np.isnan(value(view, "hcal_out_of_time_energy"))
    assert value(view, "hcal_out_of_time_energy", event=1) == 0


def test_tracker_multiplicity_and_spreads(make_view):
    view = make_view([[("ST", 2, 12.0, 0.0), ("ST", 2, -3.0, 0.0), ("ST", 3, 7.0, 0.0)], []])
    assert value(view, "hits:ST03X") == 2
    assert value(view, "hits:ST03Y") == 1
    assert value(view, "hits:MM5X") == 0
    assert value(view, "spread:ST03X") == 15
    assert value(view, "rms:ST03X") == 7.5
    assert value(view, "hits:ST03X", event=1) == 0
    assert np.isnan(value(view, "spread:ST03X", event=1))
    assert np.isnan(value(view, "rms:ST03X", event=1))


def test_residual_is_measured_from_the_track_line(make_view):
    z = load_setup("na64e_reference").detector("ST").channels.position[2, 2]
    view = make_view([[("ST", 2, 12.0, 0.0), ("ST", 2, 90.0, 0.0)], []], track=(100.0, 1e-3, 0.0, 4.0, 3.0, 1.0))
    assert value(view, "residual:ST03X") == pytest.approx(abs(12.0 - (4.0 + 1e-3 * z)), abs=1e-3)
    assert np.isnan(value(view, "residual:ST03X", event=1))


def test_track(make_view):
    view = make_view([[]], track=(99.0, 3e-4, 4e-4, 0.0, 0.0, 1.5))
    assert value(view, "track_momentum") == 99
    assert value(view, "track_angle") == pytest.approx(5e-4)
    assert value(view, "track_chi2") == 1.5


def test_columns_and_extra_values(make_view):
    view = make_view([[], []], columns={"is_physics": [1.0, 0.0]})
    values = compute(["column:is_physics", "score"], view, {"score": np.array([1, 2])})
    assert values["column:is_physics"].tolist() == [1, 0]
    assert values["score"].dtype == np.float64


def test_bad_spill(make_view):
    view = make_view([[], [], []])
    bad = view.conditions.ranges[0].model_copy(update={"bad_spills": ((6500, 1),)})
    view.conditions = view.conditions.model_copy(update={"ranges": (bad,)})
    assert compute(["bad_spill"], view)["bad_spill"].tolist() == [0, 0, 1]


def test_unknown_variable_lists_near_ones(make_view):
    with pytest.raises(ConfigError, match=r"'ecal_enrgy'.*ecal_energy"):
        compute(["ecal_enrgy"], make_view([[]]))
    with pytest.raises(ConfigError, match="hits"):
        check_variable("hit:ST03X")
    with pytest.raises(ConfigError, match="unknown analysis variable 'hits'"):
        check_variable("hits")


def test_every_variable_is_described_and_computes_on_empty_and_no_events(make_view):
    names = [name for name in describe() if not name.endswith("...")]
    assert len(names) > 30
    assert all(text.endswith((".", ":")) and len(text) > 20 for text in describe().values())
    for events in ([[], []], []):
        values = compute([*names, "hits:MM6Y", "spread:MM6Y", "rms:MM6Y", "residual:MM6Y"], make_view(events))
        assert {array.shape for array in values.values()} == {(len(events),)}
