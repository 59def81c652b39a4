import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from na64ml.errors import ConfigError
from na64ml.setups.setup import load_setup, shipped_setups

Make = Callable[..., dict[str, Any]]
Write = Callable[[str, dict[str, Any]], str]


def test_a_setup_of_the_user_is_loaded_by_path(write: Write, make_setup: Make) -> None:
    setup = load_setup(write("toy.yaml", make_setup()))
    assert setup.detector_names == ("ECAL",)
    assert setup.detector("ECAL").n_channels == 6
    assert setup.cell_centre((1, 2)) == (5.0, 20.0)


def test_unknown_names_list_the_known_ones(write: Write, make_setup: Make) -> None:
    with pytest.raises(ConfigError, match=r"unknown setup 'nowhere'.*na64e_2018.*na64e_reference"):
        load_setup("nowhere")
    setup = load_setup(write("toy.yaml", make_setup()))
    with pytest.raises(ConfigError, match="setup 'toy' has no detector 'HCAL'; use one of ECAL"):
        setup.detector("HCAL")
    with pytest.raises(ConfigError, match="ECAL has no cell \\(2, 0\\); it has 2 x 3 cells"):
        setup.cell_centre((2, 0))


def test_errors_name_file_key_and_value(write: Write, make_setup: Make, make_calorimeter: Make) -> None:
    path = write("bad.yaml", make_setup(make_calorimeter(cells={"value": [2, 3], "source": "hearsay"})))
    with pytest.raises(ConfigError, match=r"bad\.yaml.*detectors\.0\.calorimeter\.cells\.source.*'hearsay'"):
        load_setup(path)


def test_detectors_of_unknown_kind_are_errors(write: Write, make_setup: Make, make_calorimeter: Make) -> None:
    with pytest.raises(ConfigError, match=r"detectors\.0.*'calorimeter', 'counter', 'tracker'"):
        load_setup(write("bad.yaml", make_setup(make_calorimeter(kind="bolometer"))))


def test_repeated_names_are_errors(write: Write, make_setup: Make, make_calorimeter: Make) -> None:
    detectors = [make_calorimeter(), make_calorimeter(z=(100.0, 130.0))]
    with pytest.raises(ConfigError, match="'ECAL' is used more than once"):
        load_setup(write("bad.yaml", make_setup(*detectors)))


def test_the_target_must_be_a_calorimeter(write: Write, make_setup: Make, make_calorimeter: Make) -> None:
    with pytest.raises(ConfigError, match="target 'ECAL' is not a calorimeter; the calorimeters are WCAL"):
        load_setup(write("bad.yaml", make_setup(make_calorimeter(name="WCAL"))))


def test_segments_must_not_overlap(write: Write, make_setup: Make, make_calorimeter: Make) -> None:
    overlapping = make_setup(make_calorimeter(), make_calorimeter(name="HCAL", z=(29.0, 59.0)))
    with pytest.raises(ConfigError, match=r"ECAL segment 'only'.*HCAL segment 'only'.*overlap"):
        load_setup(write("bad.yaml", overlapping))
    beside = make_calorimeter(name="HCAL", z=(29.0, 59.0), centre={"value": [20.0, 0.0], "source": "?"})
    load_setup(write("beside.yaml", make_setup(make_calorimeter(), beside)))
    touching = make_calorimeter(name="HCAL", z=(30.0, 60.0))
    load_setup(write("touching.yaml", make_setup(make_calorimeter(), touching)))
    load_setup(write("touching.yaml", make_setup(touching, make_calorimeter())))


def test_geometry_hash_follows_the_geometry(write: Write, make_setup: Make, make_calorimeter: Make) -> None:
    def geometry(name: str, **changes: Any) -> str:
        return load_setup(write(name, make_setup(make_calorimeter(**changes)))).geometry_hash

    original = geometry("a.yaml")
    assert geometry("b.yaml", noise={"value": 0.01, "source": "?"}) == original
    assert geometry("c.yaml", centre={"value": [0.0, 0.0], "source": "C: another source"}) == original
    assert geometry("d.yaml", centre={"value": [0.1, 0.0], "source": "?"}) != original
    assert geometry("e.yaml", z=(0.0, 31.0)) != original


@pytest.mark.parametrize("name", shipped_setups())
def test_setups_can_be_sent_to_other_processes(name: str) -> None:
    setup = load_setup(name)
    before = setup.geometry_hash
    copy = pickle.loads(pickle.dumps(setup))
    assert copy == setup
    assert copy.geometry_hash == before
    assert copy.detector("ECAL").channels.label == setup.detector("ECAL").channels.label


@pytest.mark.parametrize("name", shipped_setups())
def test_shipped_setups_are_ordered_along_the_beam(name: str) -> None:
    setup = load_setup(name)
    assert setup.name == name
    fronts = [detector.channels.position[:, 2].min() for detector in setup.detectors]
    assert fronts == sorted(fronts)
    for detector in setup.detectors:
        assert len(detector.channels) == detector.n_channels == int(np.prod(detector.shape))
        assert len(set(detector.channels.label)) == detector.n_channels
        assert all(step > 0 for step in detector.pitch)
