"""Events with everything that can be wrong with energies and numbers of hits."""

from collections.abc import Callable
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from na64ml.inference.status import BAD_INPUT, NO_CALORIMETER_HITS, SCORED, TRUNCATED

FAULTS = [SCORED, BAD_INPUT, BAD_INPUT, BAD_INPUT, NO_CALORIMETER_HITS, TRUNCATED]
"""Status of the first events of a faulty file."""

WriteFaulty = Callable[[Path, np.ndarray], Path]


@pytest.fixture
def write_faulty(write_file: Callable[..., Path], tmp_path: Path) -> WriteFaulty:
    """Write chosen events; the first are good, NaN, infinite, negative, without hits in cells, and of 10,000 hits."""

    def write(path: Path, which: np.ndarray) -> Path:
        with uproot.open(write_file(tmp_path / "good.root", which)) as root:
            tree = root["tree"]
            ecal = tree["ECAL_ene"].array(library="np")
            calorimeters = {name: tree[name].array(library="np") for name in ("HCAL_ene", "VHCAL_ene")}
            trackers = {name: tree[name].array().to_list() for name in ("MM5X", "ST03X")}
        ecal[1, 1, 2, 2], ecal[2, 1, 2, 2], ecal[3, 1, 2, 2] = np.nan, np.inf, -1
        for values in (ecal, *calorimeters.values()):
            values[4] = 0
        trackers["MM5X"][4] = trackers["ST03X"][4] = []
        trackers["ST03X"][5] = np.linspace(-50, 50, 10_000).tolist()
        lists = {name: ak.values_astype(ak.Array(values), np.float32) for name, values in trackers.items()}
        return write_file(path, which, changes={"ECAL_ene": ecal, **calorimeters, **lists})

    return write
