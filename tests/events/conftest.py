"""Small synthetic ROOT files and layouts on the reference setup."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import yaml

from na64ml.events.batch import EventBatch
from na64ml.events.writer import write_tree
from na64ml.resources import shipped

TreeFile = Callable[..., Path]
LayoutFile = Callable[..., str]


@pytest.fixture(scope="session")
def reference_file() -> str:
    return str(shipped("datasets") / "na64e_reference.root")


@pytest.fixture
def tree_file(tmp_path: Path) -> TreeFile:
    """Write a tree with run, spill and spillevent and the given columns, ``basket`` entries at a time."""

    def write(
        name: str = "events.root",
        n_events: int = 3,
        run: Any = 6500,
        first: int = 0,
        tree: str = "tree",
        basket: int = 1000,
        **columns: Any,
    ) -> Path:
        content = {
            "run": np.full(n_events, run, dtype=np.int32),
            "spill": np.ones(n_events, dtype=np.int32),
            "spillevent": np.arange(first, first + n_events, dtype=np.int32),
        } | columns
        with write_tree(tmp_path / name, tree, {key: branch_type(values) for key, values in content.items()}) as out:
            for start in range(0, n_events, basket):
                out.extend({key: values[start : start + basket] for key, values in content.items()})
        return tmp_path / name

    return write


def branch_type(values: Any) -> Any:
    if isinstance(values, ak.Array):
        return str(values.type).split(" * ", 1)[1]
    return np.dtype((values.dtype, values.shape[1:]))


@pytest.fixture
def layout_file(tmp_path: Path) -> LayoutFile:
    """Write a layout with the given detectors and return its path."""

    def write(*detectors: dict[str, Any], name: str = "layout.yaml", **changes: Any) -> str:
        content = {
            "name": "synthetic",
            "description": "for tests",
            "tree": "tree",
            "setup": "na64e_reference",
            "conditions": "na64e_reference",
            "identifiers": {"run": "run", "spill": "spill", "spillevent": "spillevent"},
            "detectors": list(detectors),
        } | changes
        path = tmp_path / name
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        return str(path)

    return write


@pytest.fixture
def srd() -> dict[str, Any]:
    """The simplest block: three SRD modules in one array."""
    return {"form": "array", "detector": "SRD", "energy": {"branch": "SRD_ene", "empty": 0.0}}


@pytest.fixture
def batch() -> EventBatch:
    """Three events with 2, 0 and 3 hits."""
    return EventBatch(
        detectors=("ECAL", "HCAL"),
        processes=("dark_photon", "dimuon"),
        offsets=np.array([0, 2, 2, 5]),
        hits=np.arange(30, dtype=np.float32).reshape(5, 6),
        detector=np.array([0, 1, 0, 0, 1], dtype=np.int16),
        channel=np.array([7, 3, 1, 2, 0], dtype=np.int16),
        ids=np.array([[1, 1, 1], [1, 1, 2], [2, 1, 1]]),
        track=np.arange(18, dtype=np.float32).reshape(3, 6),
        process=np.array([0, 1, -1], dtype=np.int16),
        weight=np.array([1.0, 2.0, 4e-5]),
        columns={"mass": np.array([0.1, np.nan, 0.3]), "pileup": np.array([True, False, True])},
    )
