from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from na64ml.setups.channels import AXIS_BOTH, AXIS_X, AXIS_Y
from na64ml.setups.detectors import SRD, Calorimeter, Counter, Tracker
from na64ml.setups.materials import radiation_lengths

Make = Callable[..., dict[str, Any]]


def sourced(value: Any) -> dict[str, Any]:
    return {"value": value, "source": "?"}


def element(name: str, position: list[float], **more: Any) -> dict[str, Any]:
    return {"name": name, "position": sourced(position), "size": sourced([20.0, 60.0, 5.0])} | more


def segment(z: list[float], **more: Any) -> dict[str, Any]:
    return {"name": "any", "z": sourced(z), "layers": sourced(10)} | more


def test_cells_are_in_c_order_and_tile_the_calorimeter(make_calorimeter: Make) -> None:
    segments = [
        segment([0.0, 30.0]),
        segment([40.0, 100.0], centre=sourced([5.0, 7.0])),
    ]
    detector = Calorimeter.model_validate(make_calorimeter(segments=segments))
    channels = detector.channels
    assert detector.shape == (2, 2, 3)
    assert detector.n_channels == len(channels) == 12
    assert channels.label[5] == "ECAL[0][1][2]"
    np.testing.assert_allclose(channels.position[5], [5.0, 20.0, 15.0])
    np.testing.assert_allclose(channels.position[11], [10.0, 27.0, 70.0])
    np.testing.assert_allclose(channels.size[11], [10.0, 20.0, 60.0])
    assert channels.segment.tolist() == [0] * 6 + [1] * 6
    assert set(channels.axis.tolist()) == {AXIS_BOTH}
    assert detector.pitch == (10.0, 20.0, 55.0)


def test_pitch_of_one_segment_is_its_depth(make_calorimeter: Make) -> None:
    assert Calorimeter.model_validate(make_calorimeter()).pitch == (10.0, 20.0, 30.0)


def test_arrays_have_the_promised_types(make_calorimeter: Make) -> None:
    channels = Calorimeter.model_validate(make_calorimeter()).channels
    columns = (channels.position, channels.size, channels.axis, channels.segment)
    assert [column.dtype.name for column in columns] == ["float64", "float64", "int8", "int16"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"segments": [segment([0.0, 29.0])]}, "10 layers of 3 mm need 30 mm"),
        ({"segments": [segment([30.0, 0.0])]}, "correct z or layers"),
        ({"segments": []}, "at least 1 item"),
        ({"hole": sourced(20.0)}, "hole 20 mm is not smaller"),
        ({"cells": sourced([0, 3])}, "greater than or equal to 1"),
        ({"cell_size": sourced([-1.0, 3.0])}, "greater than 0"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_impossible_calorimeters_are_errors(make_calorimeter: Make, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Calorimeter.model_validate(make_calorimeter(**changes))


def test_cells_in_the_hole_are_channels(make_calorimeter: Make) -> None:
    hollow = Calorimeter.model_validate(make_calorimeter(hole=sourced(12.0)))
    assert len(hollow.channels) == 6


def test_tracker_channels_alternate_between_projections() -> None:
    def plane(name: str, z: float) -> dict[str, Any]:
        numbers = {"z": z, "half_x": 40.0, "half_y": 30.0, "sigma": 0.1, "efficiency": 0.95}
        return {"name": name} | {key: sourced(value) for key, value in numbers.items()}

    content = {"name": "MM", "kind": "tracker", "neighbour_scale": sourced(10.0)}
    detector = Tracker.model_validate(content | {"planes": [plane("MM5", -300.0), plane("MM6", -100.0)]})
    assert detector.shape == (2, 2)
    assert detector.channels.label == ("MM5X", "MM5Y", "MM6X", "MM6Y")
    assert detector.channels.axis.tolist() == [AXIS_X, AXIS_Y, AXIS_X, AXIS_Y]
    assert detector.channels.segment.tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(detector.channels.position[:, 2], [-300.0, -300.0, -100.0, -100.0])
    np.testing.assert_allclose(detector.channels.size[0], [80.0, 60.0, 0.0])
    assert detector.pitch == (10.0, 10.0, 200.0)


def test_counter_pitch_is_the_spacing_of_its_strips() -> None:
    elements = [element(f"V[{i}]", [25.0 * (i // 2), 0.0, 9.0]) for i in range(6)]
    detector = Counter.model_validate({"name": "V", "kind": "counter", "elements": elements})
    assert detector.shape == (6,)
    assert detector.pitch == (25.0, 60.0, 5.0)
    assert detector.channels.label[3] == "V[3]"


def test_strips_know_the_coordinate_they_measure() -> None:
    elements = [element("X0", [0.0, 0.0, 0.0], measures="x"), element("Y0", [0.0, 0.0, 9.0], measures="y")]
    detector = Counter.model_validate({"name": "HOD", "kind": "counter", "elements": elements})
    assert detector.channels.axis.tolist() == [AXIS_X, AXIS_Y]


def test_srd_modules_have_a_depth_in_radiation_lengths() -> None:
    sandwich = {
        "absorber": "W",
        "absorber_thickness": sourced(6.76 / 19.3 * 10),
        "scintillator": "polystyrene",
        "scintillator_thickness": sourced(43.8 / 1.032 * 10),
    }
    elements = [element("SRD[0]", [0.0, 0.0, 0.0]), element("SRD[1]", [30.0, 0.0, 0.0])]
    content = {"name": "SRD", "kind": "srd", "sandwich": sandwich, "layers": sourced(3), "elements": elements}
    np.testing.assert_allclose(radiation_lengths(SRD.model_validate(content)), [6.0, 6.0])
