"""However a tree arranges its branches, the same energies get the same scores and statuses."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from na64ml.events.layout import ArrayBlock, BranchesBlock, Energies, Layout, Times, load_layout
from na64ml.events.reader import EventReader
from na64ml.inference import Scorer
from na64ml.inference.status import BAD_INPUT, SCORED
from na64ml.resources import shipped
from na64ml.setups.conditions import load_conditions
from na64ml.setups.setup import load_setup

N = 8
SPECIAL = [np.nan, np.inf, -np.inf, -1.0, 1e30]
SETUP = load_setup("na64e_reference")
CONDITIONS = load_conditions("na64e_reference")
REFERENCE = load_layout("na64e_reference")
SCALES = st.sampled_from([1.0, 0.5, 4.0])  # powers of two, so that scaling back is exact
Arrays = dict[str, Any]


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    with uproot.open(shipped("datasets") / "na64e_reference.root") as root:
        found: Arrays = root["tree"].arrays(entry_stop=N, library="np")
    return found


@pytest.fixture(scope="module")
def scorer(onnx_file: Path) -> Scorer:
    return Scorer(onnx_file)


@st.composite
def arranged(draw: st.DrawFn, arrays: Arrays) -> tuple[Layout, Arrays]:
    """Arrays with the energies and times of the reference layout in other branches, and the layout of these."""
    blocks: list[Any] = []
    made = dict(arrays)
    for block in REFERENCE.detectors:
        if not isinstance(block, ArrayBlock):
            blocks.append(block)
            continue
        shape = SETUP.detector(block.detector).shape
        energy, e_values = _stored(draw, Energies, "empty", 0.0, made.pop(block.energy.branch))
        time, t_values = None, None
        if block.time:
            time, t_values = _stored(draw, Times, "missing", -1000.0, made.pop(block.time.branch))
        tables = [(energy, "energy", e_values), *([(time, "time", t_values)] if time else [])]
        form = draw(st.sampled_from(["array", "flat", "branches", *(["segments"] if len(shape) == 3 else [])]))
        name = block.detector.lower()
        if form in ("array", "flat"):
            for _, kind, values in tables:
                made[f"{name}_{kind}"] = values.reshape((N, *shape) if form == "array" else (N, -1))
            blocks.append(_block(ArrayBlock, block.detector, energy, time, name))
        elif form == "segments":
            for segment in range(shape[0]):
                for _, kind, values in tables:
                    made[f"{name}{segment}_{kind}"] = values.reshape((N, *shape))[:, segment]
                blocks.append(_block(ArrayBlock, block.detector, energy, time, f"{name}{segment}", segment=segment))
        else:
            places = "{segment}_{x}_{y}" if len(shape) == 3 else "{i}"
            for index in np.ndindex(*shape):
                cell = "_".join(map(str, index)) if len(shape) == 3 else str(index[0])
                for _, kind, values in tables:
                    made[f"{name}_{cell}_{kind}"] = values.reshape((N, *shape))[(slice(None), *index)]
            blocks.append(_block(BranchesBlock, block.detector, energy, time, f"{name}_{places}"))
    return REFERENCE.model_copy(update={"detectors": tuple(blocks)}), made


def _stored(draw: st.DrawFn, kind: Any, key: str, absent: float, values: np.ndarray) -> tuple[dict, np.ndarray]:
    """Draw scale and mark of absent values; return them, and the values as they are stored then."""
    scale, mark = (
        draw(SCALES),
        draw(st.sampled_from([0.0, -1000.0, -9999.0] if kind is Energies else [-1000.0, -7777.0])),
    )
    stored = np.where(values == np.float32(absent), np.float32(mark), values / np.float32(scale))
    return {"scale": scale, key: mark}, stored.astype(np.float32)


def _block(kind: Any, detector: str, energy: dict, time: dict | None, name: str, **more: Any) -> Any:
    return kind(
        form="array" if kind is ArrayBlock else "branches",
        detector=detector,
        energy=Energies(branch=f"{name}_energy", **energy),
        time=Times(branch=f"{name}_time", **time) if time else None,
        **more,
    )


@settings(deadline=None, derandomize=True, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_the_arrangement_of_the_branches_does_not_matter(scorer: Scorer, arrays: Arrays, data: st.DataObject) -> None:
    changed = dict(arrays)
    bad = np.zeros(N, dtype=bool)
    for name in ("ECAL", "HCAL", "VETO"):
        values = changed[f"{name}_ene"].reshape(N, -1).copy()
        for event, value in data.draw(st.lists(st.tuples(st.integers(0, N - 1), st.sampled_from(SPECIAL)), max_size=2)):
            values[event, data.draw(st.integers(0, values.shape[1] - 1))] = value
        noise = SETUP.detector(name).noise
        bad |= (~np.isfinite(values) | (values < (-5 * noise.value if noise else -np.inf))).any(axis=1)
        changed[f"{name}_ene"] = values.reshape(changed[f"{name}_ene"].shape)
    expected = scorer.score(changed)
    np.testing.assert_array_equal(expected.status, np.where(bad, BAD_INPUT, SCORED))
    layout, moved = data.draw(arranged(changed))
    found = scorer.score(EventReader(layout, SETUP, CONDITIONS).decode(moved))
    np.testing.assert_array_equal(found.status, expected.status)
    np.testing.assert_allclose(found.score, expected.score, rtol=1e-6, atol=1e-5)
