import logging
import shutil

import numpy as np
import pytest

from na64ml.errors import ConfigError
from na64ml.resources import shipped
from na64ml.selection.blinding import Blinding
from na64ml.selection.mode import load_mode
from na64ml.setups.setup import load_setup
from na64ml.yaml_files import read_yaml


@pytest.fixture
def mode():
    return load_mode("na64e_invisible")


@pytest.fixture
def box_events(hit):
    """In the box, ECAL too large, HCAL too large."""
    return [
        [hit("ECAL", (1, 3, 3), 20.0), hit("ECAL", (0, 3, 3), 1.0)],
        [hit("ECAL", (1, 3, 3), 90.0), hit("ECAL", (0, 3, 3), 1.0)],
        [hit("ECAL", (1, 3, 3), 20.0), hit("HCAL", (0, 1, 1), 5.0)],
    ]


def test_shipped_mode(mode):
    assert mode.signal == "dark_photon"
    assert mode.reducible == ("electroproduction", "neutral_punch_through", "dimuon", "beam_hadron")
    assert mode.exposure["2018"].value == 2.0e11
    assert mode.fractions.sum() == pytest.approx(1)
    assert len(mode.fractions) == len(mode.classes) - 1
    assert all(load_setup(name).name == name for name in mode.setups)


@pytest.mark.parametrize("path", sorted(shipped("configs").glob("*/mode.yaml")), ids=lambda path: path.parent.name)
def test_shipped_modes_are_complete(path):
    mode = load_mode(path.parent.name)
    assert mode.name == path.parent.name
    assert all(load_setup(name).name == name for name in mode.setups)
    assert set(mode.processes.values()) == set(mode.classes)
    assert {selection.stem for selection in (path.parent / "selection").glob("*.yaml")} == set(mode.selections)
    assert all(mode.selection(name).cuts for name in mode.selections)


def test_labels(mode, make_view):
    view = make_view([[], [], []], process=[1, -1, 0])
    assert mode.label(view.batch).tolist() == [1, -1, 0]
    assert mode.label(make_view([], process=[]).batch).tolist() == []


def test_unmapped_process_names_it_and_the_file(mode, make_view):
    view = make_view([[], []], process=[0, 1], processes=("dark_photon", "moon_beam"))
    with pytest.raises(ConfigError, match=r"mode\.yaml.*'moon_beam'"):
        mode.label(view.batch)
    unused = make_view([[]], process=[0], processes=("dark_photon", "moon_beam"))
    assert mode.label(unused.batch).tolist() == [0]


def test_unknown_class(mode):
    assert mode.class_index("dimuon") == 4
    with pytest.raises(ConfigError, match=r"'dimoun'.*dimuon"):
        mode.class_index("dimoun")


def test_trigger(mode, make_view, box_events):
    assert mode.trigger_mask(make_view(box_events)).tolist() == [True, False, False]


def test_data_in_the_box_are_hidden_and_simulation_is_not(mode, make_view, box_events):
    assert Blinding(mode).hidden(make_view(box_events, process=[-1] * 3)).tolist() == [True, False, False]
    assert not Blinding(mode).hidden(make_view(box_events)).any()


def test_the_blinded_region_is_larger_from_2023_on(mode, make_view, hit):
    view = make_view([[hit("ECAL", (1, 3, 3), energy)] for energy in (49.0, 55.0, 61.0)], process=[-1] * 3)
    assert Blinding(mode).hidden(view).tolist() == [True, False, False]
    # the same cells, called a setup of 2023
    view.setup = view.setup.model_copy(update={"name": "na64e_2023"})
    assert Blinding(mode).hidden(view).tolist() == [True, True, False]


def test_trigger_and_blinded_region_scale_with_the_beam_energy(mode, make_view, hit, at_beam_energy):
    energies = (24.0, 26.0, 42.0, 43.0)
    events = [[hit("ECAL", (0, 3, 3), 1.0), hit("ECAL", (1, 3, 3), energy - 1)] for energy in energies]
    view = at_beam_energy(make_view(events, process=[-1] * 4), 50.0)
    assert mode.trigger_mask(view).tolist() == [True, True, True, False]
    assert Blinding(mode).hidden(view).tolist() == [True, False, False, False]


def test_a_mode_runs_only_on_its_setups(mode):
    mode.check_setup(load_setup("na64e_2018"))
    other = load_setup("na64e_2018").model_copy(update={"name": "na64x"})
    with pytest.raises(ConfigError, match=r"mode\.yaml: key 'setups'.*'na64x'.*na64e_reference, na64e_2018"):
        mode.check_setup(other)


def test_a_mode_names_only_selections_that_exist(tmp_path):
    source = shipped("configs") / "na64e_invisible"
    shutil.copytree(source, tmp_path / "search")
    path = tmp_path / "search" / "mode.yaml"
    assert load_mode(str(path)).selection("simple").name == "simple"
    path.write_text(path.read_text().replace("[simple, ", "[simpel, "))
    with pytest.raises(ConfigError, match=r"search/mode\.yaml: key 'selections': unknown selection 'simpel'.*simple"):
        load_mode(str(path))


def test_unblinding_is_logged(mode, make_view, box_events, caplog):
    with caplog.at_level(logging.WARNING):
        blinding = Blinding(mode, unblind=True)
    assert "UNBLINDED" in caplog.text
    assert not blinding.hidden(make_view(box_events, process=[-1] * 3)).any()


def test_events_that_may_be_inside_are_hidden(mode, make_view, box_events):
    view = make_view([*box_events, box_events[0]], process=[-1] * 4)
    view.batch.hits[-1, 3] = np.nan
    assert Blinding(mode).hidden(view).tolist() == [True, False, False, True]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("processes", {"x": "no_such_class"}, "no_such_class"),
        ("reducible", ["dark_photon"], "unknown background class dark_photon"),
        ("background_fractions", {"dimuon": {"value": 1.0, "source": "C"}}, "no fraction for"),
        ("blinded_by_setup", {"na64x": {"require": {"variable": "ecal_energy", "max": 1}, "source": "C"}}, "na64x"),
        ("blinded", {"require": {"variable": "ecal_energy"}, "source": "C"}, "no bound"),
    ],
)
def test_wrong_modes(tmp_path, key, value, message):
    import yaml

    content = read_yaml(shipped("configs") / "na64e_invisible" / "mode.yaml") | {key: value}
    path = tmp_path / "broken.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match=rf"(?s)broken\.yaml.*{message}"):
        load_mode(str(path))


def test_unknown_mode_lists_the_shipped_ones():
    with pytest.raises(ConfigError, match="na64e_invisible"):
        load_mode("na64x")
