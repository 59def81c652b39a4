"""Which networks and layers the exporters translate faithfully, for which numbers of hits."""

import inspect
import pkgutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from na64ml import models
from na64ml.errors import ConfigError
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.export.onnx_export import describe, to_onnx, write_model
from na64ml.export.parity import (
    ABSOLUTE,
    RELATIVE,
    calorimeter_first,
    decisions,
    first_hits,
    in_calorimeter,
    neighbours_of,
    reference_scores,
    spread,
)
from na64ml.graphs.batch import pack
from na64ml.graphs.sample import Split
from na64ml.inference.scorer import MICRO_BATCH, Scorer, Scores
from na64ml.inference.status import SCORED
from na64ml.models.checkpoint import network_record
from na64ml.models.delivered import DeliveredNetwork
from na64ml.models.inputs import NetworkInputs, network_inputs
from na64ml.models.network import EventNetwork
from na64ml.selection.mode import load_mode

EXPORTERS = {"dynamo": True, "TorchScript": False}
OPSETS = (18, 20, 22, 23)
"""Opsets that are tried unless others are asked for: the one of ``na64ml export``, and later ones."""

GEOMETRIC_LAYERS: dict[str, dict[str, Any]] = {
    "torch_geometric.nn.GATv2Conv": {"heads": 4, "concat": False, "add_self_loops": False},
    "torch_geometric.nn.GCNConv": {"add_self_loops": False},
    "torch_geometric.nn.GENConv": {},
    "torch_geometric.nn.GraphConv": {"aggr": "max"},
    "torch_geometric.nn.ResGatedGraphConv": {},
    "torch_geometric.nn.SAGEConv": {},
    "torch_geometric.nn.TransformerConv": {"heads": 4, "concat": False},
}
"""Layers that networks with a parameter ``layer`` are tried with, and their arguments."""

MEMBERS = [
    {"class_path": "na64ml.models.deep_sets_network.DeepSetsNetwork", "init_args": {}},
    {"class_path": "na64ml.models.fast_edge_conv_network.FastEdgeConvNetwork", "init_args": {}},
]
"""What networks with a parameter ``members`` are tried with."""

_FEW = 32
_MANY = 4


@dataclass(frozen=True)
class Candidate:
    """A network to try: its class and arguments besides the inputs."""

    name: str
    kind: type[EventNetwork]
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """Agreement of an exported file with PyTorch on events of one size.

    ``difference`` is the largest of the logits, ``flipped`` the number of events for which a decision differs and
    ``wrong`` the number of those whose score is not within the tolerance of the threshold. ``fault`` says why nothing
    could be compared.
    """

    n_scored: int = 0
    difference: float = 0.0
    agrees: bool = False
    flipped: int = 0
    wrong: int = 0
    fault: str = ""


@dataclass(frozen=True)
class Row:
    """Outcome of one network, exporter and opset; ``fault`` says why it does not export."""

    network: str
    exporter: str
    opset: int
    cells: dict[str, Cell] = field(default_factory=dict)
    fault: str = ""


def network_classes() -> list[type[EventNetwork]]:
    """Return all networks in `na64ml.models` that can be made, by name."""
    for module in pkgutil.iter_modules(models.__path__, f"{models.__name__}."):
        import_module(module.name)
    found = [kind for kind in _subclasses(EventNetwork) if kind.__module__.startswith(f"{models.__name__}.")]
    return sorted((kind for kind in found if not _is_abstract(kind)), key=lambda kind: kind.__name__)


def candidates(kinds: Sequence[type[EventNetwork]]) -> list[Candidate]:
    """Return every network with its defaults, those that take any layer with each of `GEOMETRIC_LAYERS`.

    Ensembles are tried with `MEMBERS`.
    """
    found = []
    for kind in kinds:
        if "members" in inspect.signature(kind).parameters:
            found.append(Candidate(kind.__name__, kind, {"members": MEMBERS}))
            continue
        if "layer" not in inspect.signature(kind).parameters:
            found.append(Candidate(kind.__name__, kind))
            continue
        for layer, arguments in GEOMETRIC_LAYERS.items():
            name = f"{kind.__name__}({layer.rpartition('.')[2]})"
            found.append(Candidate(name, kind, {"layer": layer, "layer_args": arguments}))
    return found


def variants(exporters: Sequence[str] | None = None, opsets: Sequence[int] | None = None) -> list[tuple[str, int]]:
    """Return the exporters and opsets to try: all exporters and `OPSETS` unless others are chosen.

    Raises
    ------
    ConfigError
        If there is no such exporter.
    """
    if unknown := sorted(set(exporters or ()) - set(EXPORTERS)):
        raise ConfigError(f"--exporters {', '.join(unknown)}: no such exporter; there are {', '.join(EXPORTERS)}")
    return [(exporter, opset) for exporter in exporters or EXPORTERS for opset in opsets or OPSETS]


class Matrix:
    """Tries networks on events of a sample.

    Parameters
    ----------
    reader, files
        Where the events come from.
    n_events
        Number of ordinary events to compare; of the other sizes it is fewer.
    """

    def __init__(self, reader: EventReader, files: Sequence[str], n_events: int) -> None:
        events = next(reader.iterate(files))
        self.reader = reader
        self.mode = load_mode("na64e_invisible")
        self.inputs: NetworkInputs = network_inputs(reader, self.mode)
        self.events = spread(events, n_events)

    def rows(self, candidate: Candidate, tried: Sequence[tuple[str, int]]) -> Iterator[Row]:
        """Yield the outcome of a network for exporters and opsets."""
        delivered = self.delivered(candidate)
        metadata = describe(
            delivered.network,
            network_record(
                delivered.network,
                contract=self.reader.contract,
                conditions_hash=self.reader.conditions.hash,
                data_hash="none",
                layout=self.reader.layout.name,
                mode=self.mode.name,
                split=Split(dataset="none"),
            ),
            (),
            {},
        )
        k = neighbours_of(delivered.network)
        batches = event_sizes(self.events, self.inputs, k)
        expected = {name: reference_scores(delivered, batch, MICRO_BATCH) for name, batch in batches.items()}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "network.onnx"
            for exporter, opset in tried:
                row = Row(candidate.name, exporter, opset)
                try:
                    write_model(to_onnx(delivered, EXPORTERS[exporter], opset), path, metadata)
                    scorer = Scorer(path)
                except Exception as error:  # exporters raise many kinds; the kind is the result
                    yield replace(row, fault=_reason(error))
                else:
                    yield replace(row, cells=compare_sizes(scorer, batches, expected))

    def delivered(self, candidate: Candidate) -> DeliveredNetwork:
        """Make an untrained network with fitted normalisation; the same every time."""
        torch.manual_seed(3)
        network = candidate.kind(self.inputs, **candidate.arguments)
        label = np.zeros(len(self.events), dtype=np.int64)
        weight = np.ones(len(self.events), dtype=np.float32)
        network.fit_normalisation([pack(self.events, np.arange(len(self.events)), label, weight)])
        return DeliveredNetwork(network.eval()).eval()


def event_sizes(events: EventBatch, inputs: NetworkInputs, k: int) -> dict[str, EventBatch]:
    """Return batches of events with 0, 1, k-1, k, k+1 and the usual number of hits, and with as many as are scored."""
    kinds = {detector.name: detector.kind for detector in inputs.detectors}
    seen = np.unique(events.event[in_calorimeter(events, kinds)])
    few = calorimeter_first(events.select(seen[:_FEW]), kinds)
    sizes = {"0": 0, "1": 1, "k-1": k - 1, "k": k, "k+1": k + 1}
    batches = {name: first_hits(few, np.full(len(few), size)) for name, size in sizes.items()}
    return batches | {"typical": events, "cap": _full_events(events, inputs.hit_cap)}


def compare_sizes(scorer: Scorer, batches: dict[str, EventBatch], expected: dict[str, Scores]) -> dict[str, Cell]:
    """Compare a network file with the scores of PyTorch on batches, by name."""
    cells = {}
    for name, batch in batches.items():
        try:
            cells[name] = compare(scorer.score(batch), expected[name])
        except Exception as error:  # the runtime's own kinds share no base class
            cells[name] = Cell(fault=_reason(error))
    return cells


def compare(found: Scores, expected: Scores) -> Cell:
    """Compare scores with those of PyTorch."""
    if not np.array_equal(found.status, expected.status):
        return Cell(fault=f"{np.count_nonzero(found.status != expected.status)} of {len(found.status)} statuses differ")
    scored = expected.status == SCORED
    if not scored.any():
        return Cell(agrees=bool(np.isnan(found.score).all()))
    difference = np.abs(found.logits - expected.logits)[scored]
    flipped, decided = decisions(found, expected)
    return Cell(
        n_scored=int(scored.sum()),
        difference=float(difference.max()),
        agrees=bool(np.all(difference <= ABSOLUTE + RELATIVE * np.abs(expected.logits[scored]))),
        flipped=int(flipped.any(axis=1).sum()),
        wrong=int((flipped & decided).any(axis=1).sum()),
    )


def _full_events(events: EventBatch, cap: int) -> EventBatch:
    """Return a few events with ``cap`` hits each, made of the hits of many."""
    n_events = min(_MANY, events.n_hits // cap)
    whole = replace(
        events.select(np.arange(n_events)),
        offsets=np.arange(n_events + 1, dtype=np.int64) * cap,
        hits=events.hits[: n_events * cap],
        detector=events.detector[: n_events * cap],
        channel=events.channel[: n_events * cap],
    )
    order = np.lexsort((whole.detector, whole.event))
    return replace(whole, hits=whole.hits[order], detector=whole.detector[order], channel=whole.channel[order])


def _subclasses(kind: type[Any]) -> Iterator[type[EventNetwork]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from _subclasses(sub)


def _is_abstract(kind: type[EventNetwork]) -> bool:
    return any(getattr(getattr(kind, name, None), "__isabstractmethod__", False) for name in dir(kind))


def _reason(error: Exception) -> str:
    lines = [line for line in str(error).strip().splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0].strip()[:90]}" if lines else type(error).__name__
