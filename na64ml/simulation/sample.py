"""Simulated samples as ROOT files, with the layout that reads them."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from na64ml.events.atomic import atomic_path
from na64ml.events.writer import write_tree
from na64ml.setups.detectors import SRD, Calorimeter, Counter, Tracker
from na64ml.setups.digitisation import Digitisation
from na64ml.setups.setup import Setup
from na64ml.simulation.digitisation.calorimeter import NO_TIME
from na64ml.simulation.digitisation.digitiser import MM_PER_M, Columns
from na64ml.simulation.shards import flattened

TREE = "tree"


def write_sample(
    path: Path, chunks: Iterator[Columns], labels: tuple[str, ...], provenance: Mapping[str, Any]
) -> tuple[int, str]:
    """Write events as `write_columns` does, with ``labels``, the process names in the order of ``mc_label``."""
    return write_columns(path, chunks, provenance, {"labels": ",".join(labels)})


def write_columns(
    path: Path, chunks: Iterator[Columns], provenance: Mapping[str, Any], texts: Mapping[str, str]
) -> tuple[int, str]:
    """Write chunks of columns to one tree; the file appears only when it is complete.

    Beside the tree lie the ``texts`` and ``provenance`` as JSON, to which the number of events and the hash of the
    array content are added.

    Returns
    -------
    int, str
        Number of events and content hash, which depends on neither compression nor workers.
    """
    first = next(chunks)
    branches = {name: _branch(values) for name, values in first.items()}
    notes = dict(texts)
    digest, n_events = hashlib.sha256(), 0
    with write_tree(path, TREE, branches, notes) as tree:
        for columns in _chain(first, chunks):
            tree.extend(columns)
            _update(digest, columns)
            n_events += len(next(iter(columns.values())))
        content = digest.hexdigest()[:16]
        notes["provenance"] = json.dumps({**provenance, "n_events": n_events, "content_hash": content}, indent=1)
    return n_events, content


def write_layout(
    path: Path, name: str, setup: Setup, names: tuple[str, str], labels: tuple[str, ...], readout: Digitisation
) -> None:
    """Write the layout that reads a sample of a setup; ``names`` are those of its setup and conditions."""
    layout = {
        "name": name,
        "description": f"Simulated events of setup {setup.name}",
        "tree": TREE,
        "setup": names[0],
        "conditions": names[1],
        "identifiers": {name: name for name in ("run", "spill", "spillevent")},
        "track": {
            feature: {"branch": f"track_{branch}"}
            for feature, branch in zip(
                ("p", "theta_x", "theta_y", "x", "y", "chi2"), ("p", "thx", "thy", "x", "y", "chi2"), strict=True
            )
        },
        "detectors": [_block(detector, readout) for detector in setup.detectors],
        "truth": {"process": {"branch": "mc_label", "names": list(labels)}, "weight": "mc_weight"},
        "columns": {
            "mass": {"branch": "mc_mass", "optional": True},
            "invisible_energy": {"branch": "mc_invisible_energy", "optional": True},
            "vertex_z": {"branch": "mc_vertex_z", "scale": MM_PER_M, "optional": True},
            "parent_pdg": {"branch": "mc_parent_pdg", "optional": True},
            "pileup": {"branch": "mc_pileup", "optional": True},
            "srd_forced": {"branch": "mc_srd_forced", "optional": True},
            "shower_id": {"branch": "mc_shower_id", "optional": True},
        },
    }
    with atomic_path(path) as part:
        part.write_text(yaml.safe_dump(layout, sort_keys=False), encoding="utf-8")


def _block(detector: Calorimeter | Counter | SRD | Tracker, readout: Digitisation) -> dict[str, Any]:
    if isinstance(detector, Tracker):
        planes = {plane.name: {"x": f"{plane.name}X", "y": f"{plane.name}Y"} for plane in detector.planes}
        return {"form": "projections", "detector": detector.name, "planes": planes}
    block: dict[str, Any] = {
        "form": "array",
        "detector": detector.name,
        "energy": {"branch": f"{detector.name}_ene", "empty": 0.0},
    }
    timed = readout.calorimeters.get(detector.name)
    if timed is not None and timed.time_sigma is not None:
        block["time"] = {"branch": f"{detector.name}_t0", "missing": NO_TIME}
    return block


def _branch(values: Any) -> np.dtype[Any] | str:
    if isinstance(values, np.ndarray):
        return np.dtype((values.dtype, values.shape[1:]))
    return f"var * {np.asarray(values.layout.content.data).dtype}"


def _chain(first: Columns, rest: Iterator[Columns]) -> Iterator[Columns]:
    yield first
    yield from rest


def _update(digest: Any, columns: Columns) -> None:
    for name, values in sorted(flattened(columns).items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(values).tobytes())
