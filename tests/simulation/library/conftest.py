"""Recipes of small libraries, by the toy engine."""

import os
from pathlib import Path

import pytest
import yaml

from na64ml.simulation.library import load_library_recipe

TOY = str(Path(__file__).parents[1])


@pytest.fixture(autouse=True)
def toy_engine(monkeypatch):
    """Let this process and the workers import the toy engine."""
    monkeypatch.syspath_prepend(TOY)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([TOY, os.environ.get("PYTHONPATH", "")]))


@pytest.fixture
def write_recipe(tmp_path):
    def write(name="library.yaml", **changes):
        content = {
            "name": "toy_library",
            "setup": "na64e_reference",
            "seed": 3,
            "engine": {"class_path": "toy.Toy"},
            "energy": [0.05, 120],
            "tiles": {"VHCAL": 25, "ECAL": 19.1, "VETO": 50, "HCAL": 50},
            "shard_showers": 20,
            "showers": [
                {"species": 11, "count": 50, "entry": "ECAL"},
                {"species": 2112, "count": 30, "entry": "ECAL", "depth": [20, 100], "spread": 3},
                {"species": -211, "count": 25, "entry": "VHCAL", "energy": [5, 10]},
            ],
        }
        path = tmp_path / name
        path.write_text(yaml.safe_dump({**content, **changes}))
        return path

    return write


@pytest.fixture
def recipe(write_recipe):
    return load_library_recipe(str(write_recipe()))
