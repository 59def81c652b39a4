"""Beam lines, the reference sample's truth, and Geant4 where its data tables are."""

import os
from collections.abc import Callable
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from na64ml.resources import shipped
from na64ml.setups.conditions import load_conditions
from na64ml.setups.setup import load_setup
from na64ml.simulation.beamline import Beamline

REQUIRED = "NA64ML_REQUIRE_GEANT4"


@pytest.fixture(scope="session")
def beamline() -> Beamline:
    return Beamline(load_setup("na64e_reference"), load_conditions("na64e_reference").for_run(6500))


@pytest.fixture(scope="session")
def beamline_of() -> Callable[[str, int], Beamline]:
    return lambda name, run: Beamline(load_setup(name), load_conditions(name).for_run(run))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.fixture(scope="session")
def truth() -> ak.Array:
    """Truth of both runs of the reference sample."""
    branches = [
        *("mc_label", "mc_mass", "mc_vertex_z", "mc_parent_pdg", "mc_invisible_energy", "track_p"),
        *("mc_pdg", "mc_energy", "mc_px", "mc_py", "mc_pz"),
    ]
    files = [shipped("datasets") / name for name in ("na64e_reference.root", "na64e_reference_b.root")]
    return ak.concatenate([uproot.open(f"{file}:tree").arrays(branches) for file in files])


@pytest.fixture(scope="session")
def geant4() -> None:
    """Skip without Geant4 and its tables, or fail where they must be there."""
    tables = os.environ.get("GEANT4_DATA_DIR") or Path.home() / ".local/share/calzone/data"
    try:
        import calzone  # noqa: F401

        found = any(Path(tables).glob("G4EMLOW*"))
    except ModuleNotFoundError:
        found = False
    if not found:
        message = f"no calzone, or no Geant4 data tables in {tables}: python -m calzone download"
        pytest.fail(message) if os.environ.get(REQUIRED) else pytest.skip(message)
