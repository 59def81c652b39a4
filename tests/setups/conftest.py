from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml


def sourced(value: Any) -> dict[str, Any]:
    return {"value": value, "source": "?: made up for tests"}


def calorimeter(name: str = "ECAL", z: tuple[float, float] = (0.0, 30.0), **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "calorimeter",
        "cells": sourced([2, 3]),
        "cell_size": sourced([10.0, 20.0]),
        "centre": sourced([0.0, 0.0]),
        "sandwich": {
            "absorber": "Pb",
            "absorber_thickness": sourced(1.0),
            "scintillator": "polystyrene",
            "scintillator_thickness": sourced(2.0),
        },
        "segments": [{"name": "only", "z": sourced(list(z)), "layers": sourced(10)}],
    } | changes


def setup_content(*detectors: dict[str, Any]) -> dict[str, Any]:
    beam = {"energy": 50.0, "momentum_spread": 0.01, "sigma_x": 5.0, "sigma_y": 6.0, "offset": [1.0, -2.0]}
    return {
        "name": "toy",
        "description": "two by three cells",
        "target": "ECAL",
        "beam": {"particle": "e-"} | {key: sourced(value) for key, value in beam.items()},
        "detectors": list(detectors) or [calorimeter()],
    }


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, dict[str, Any]], str]:
    def write_yaml(name: str, content: dict[str, Any]) -> str:
        path = tmp_path / name
        path.write_text(yaml.safe_dump(content))
        return str(path)

    return write_yaml


@pytest.fixture
def make_calorimeter() -> Callable[..., dict[str, Any]]:
    return calorimeter


@pytest.fixture
def make_setup() -> Callable[..., dict[str, Any]]:
    return setup_content
