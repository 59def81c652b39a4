"""The embedded sample, a small network and its exported file: made once per session and shared."""

import shutil
from collections.abc import Callable
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import torch
import uproot

from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.graphs.batch import PackedBatch, pack
from na64ml.graphs.sample import Split
from na64ml.models.checkpoint import NetworkRecord, network_record
from na64ml.models.delivered import DeliveredNetwork
from na64ml.models.edge_conv_network import EdgeConvNetwork
from na64ml.models.inputs import NetworkInputs, network_inputs
from na64ml.resources import shipped
from na64ml.selection.mode import Mode, load_mode

torch.set_num_threads(1)

N_NEIGHBOURS = 4

TREE_VARIABLES = ("ecal_energy", "hcal_energy", "shower_chi2", "srd_min", "ecal_out_of_time_energy", "track_momentum")
"""Made from cells, from times and from the track; undefined in some events."""


@pytest.fixture(scope="session")
def reader() -> EventReader:
    return EventReader("na64e_reference")


@pytest.fixture(scope="session")
def mode() -> Mode:
    return load_mode("na64e_invisible")


@pytest.fixture(scope="session")
def inputs(reader: EventReader, mode: Mode) -> NetworkInputs:
    return network_inputs(reader, mode)


@pytest.fixture(scope="session")
def reference_events(reader: EventReader) -> EventBatch:
    return reader.read("shipped:na64e_reference.root")


@pytest.fixture(scope="session")
def few_events(reference_events: EventBatch) -> EventBatch:
    """A hundred events of all classes."""
    return reference_events.select(slice(0, None, 50))


@pytest.fixture(scope="session")
def packed() -> Callable[[EventBatch], PackedBatch]:
    def pack_all(events: EventBatch) -> PackedBatch:
        label = np.zeros(len(events), dtype=np.int64)
        return pack(events, np.arange(len(events)), label, np.ones(len(events), dtype=np.float32))

    return pack_all


@pytest.fixture(scope="session")
def network(
    inputs: NetworkInputs, reference_events: EventBatch, packed: Callable[[EventBatch], PackedBatch]
) -> EdgeConvNetwork:
    """An untrained network with fitted normalisation."""
    torch.manual_seed(0)
    made = EdgeConvNetwork(inputs, width=8, n_blocks=2, k=N_NEIGHBOURS, head_width=16)
    made.fit_normalisation([packed(reference_events.select(slice(0, None, 5)))])
    return made.eval()


@pytest.fixture(scope="session")
def record(network: EdgeConvNetwork, reader: EventReader) -> NetworkRecord:
    return network_record(
        network,
        contract=reader.contract,
        conditions_hash=reader.conditions.hash,
        data_hash="0123456789abcdef",
        layout="na64e_reference",
        mode="na64e_invisible",
        split=Split(dataset="na64e_reference"),
        run_id="a run",
    )


@pytest.fixture(scope="session")
def threshold(network: EdgeConvNetwork, few_events: EventBatch, packed: Callable[[EventBatch], PackedBatch]) -> float:
    """A cut on the score of the network that half of the events pass."""
    batch = packed(few_events)
    with torch.no_grad():
        _, _, score, _ = DeliveredNetwork(network)(batch.hits, batch.detector, batch.event, batch.track)
    return float(score.nanmedian())


@pytest.fixture(scope="session")
def onnx_file(
    network: EdgeConvNetwork,
    record: NetworkRecord,
    few_events: EventBatch,
    threshold: float,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """The network exported with one working point; read it, do not change it."""
    from na64ml.export.onnx_export import export
    from na64ml.inference.metadata import WorkingPoint

    point = WorkingPoint(
        name="signal_90",
        threshold=threshold,
        efficiency={"dark_photon": (0.9, 0.88, 0.92)},
        interval="Clopper-Pearson 95 %",
    )
    file = tmp_path_factory.mktemp("export") / "network.onnx"
    export(network, record, few_events, file, working_points=(point,), code={"na64ml_version": "test"})
    return file


@pytest.fixture(scope="session")
def trees_file(tmp_path_factory: pytest.TempPathFactory, cache_folder: Path) -> Path:
    """A few boosted trees on a few variables as the command writes them; read the file, do not change it."""
    from na64ml.cli import main

    output = tmp_path_factory.mktemp("trees") / "trees.onnx"
    changes = ["--set", "trees.num_iterations=8", "--set", f"variables=[{', '.join(TREE_VARIABLES)}]"]
    assert main(["fit-trees", *changes, "--root", str(cache_folder), "--out", str(output)]) == 0
    return output


WriteFile = Callable[..., Path]


@pytest.fixture(scope="session")
def write_file() -> WriteFile:
    """Write chosen events of the embedded sample to a file, with branches left out or replaced."""
    with uproot.open(shipped("datasets") / "na64e_reference.root") as root:
        tree = root["tree"]
        names = [name for name in tree.keys(recursive=False) if not name.startswith(("n", "mc_p"))]
        arrays = tree.arrays(names, library="ak", how=dict)

    def write(
        path: Path,
        which: np.ndarray,
        drop: tuple[str, ...] = (),
        changes: dict[str, np.ndarray] | None = None,
        cycles: int = 1,
    ) -> Path:
        columns = {name: _regular(array[which]) for name, array in arrays.items() if name not in drop}
        columns |= changes or {}
        with uproot.recreate(path) as root:
            tree = root.mktree("tree", {name: _branch_type(column) for name, column in columns.items()})
            for cycle in range(cycles):
                tree.extend({**columns, "spill": columns["spill"] + np.int32(10_000 * cycle)})
        return path

    return write


def _regular(array: ak.Array) -> np.ndarray | ak.Array:
    return array if "var" in str(array.type) else ak.to_numpy(array)


def _branch_type(column: np.ndarray | ak.Array) -> object:
    if isinstance(column, np.ndarray):
        return np.dtype((column.dtype, column.shape[1:])) if column.ndim > 1 else column.dtype
    return "var * float32"


@pytest.fixture(scope="session")
def tracking_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty tracking database; making one takes seconds, a copy does not."""
    from mlflow import MlflowClient

    from na64ml.training.tracking_store import tracking_uri

    root = tmp_path_factory.mktemp("tracking")
    MlflowClient(tracking_uri(root)).search_experiments()
    return root / "mlflow.db"


@pytest.fixture
def run_root(tracking_template: Path, tmp_path: Path) -> Path:
    """A fresh run root whose database exists."""
    root = tmp_path / "runs"
    root.mkdir()
    shutil.copy(tracking_template, root / "mlflow.db")
    return root


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Event caches are named by their content, so all tests can share the folder."""
    return tmp_path_factory.mktemp("cache")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests really transported particles with Geant4."""
    ran, skipped = (
        sum("geant4" in report.keywords for report in terminalreporter.stats.get(outcome, ()))
        for outcome in ("passed", "skipped")
    )
    terminalreporter.write_line(f"Geant4 tests: {ran} passed, {skipped} skipped")
