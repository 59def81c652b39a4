"""How fast the exported networks score, relative to the default one: CPU time of one process, all in one run.

Beside the rate in micro-batches of 16, the time of events that come one by one, and the share of the processor's matrix
rate that the multiplications of the network reach. Networks are untrained; their speed does not depend on the weights::

    OMP_NUM_THREADS=1 python experiments/benchmarks/networks.py
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from inspect import Parameter, signature
from pathlib import Path
from pkgutil import resolve_name, walk_packages

import numpy as np
import torch
from machine import machine
from measuring import processor_time
from torch.utils.flop_counter import FlopCounterMode

import na64ml.models
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.export.onnx_export import export
from na64ml.graphs.batch import PackedBatch, pack
from na64ml.graphs.sample import Split
from na64ml.inference import Scorer
from na64ml.models.checkpoint import network_record
from na64ml.models.inputs import network_inputs
from na64ml.models.network import EventNetwork
from na64ml.selection.mode import load_mode

HERE = Path(__file__).parent
PASSES = 5
MATRIX = 1024
"""Rows and columns of the matrices whose product gives the matrix rate."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Export, measure, write JSON and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "networks.json", help="JSON file for the result")
    options = parser.parse_args(arguments)
    facts = machine()
    reader, mode = EventReader("na64e_reference"), load_mode("na64e_invisible")
    events = reader.read("shipped:na64e_reference.root").select(slice(0, None, 5))
    with tempfile.TemporaryDirectory() as folder:
        files, parameters, operations = {}, {}, {}
        for kind in kinds():
            network = kind(network_inputs(reader, mode)).eval()
            n = len(events)
            batch = pack(events, np.arange(n), np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.float32))
            network.fit_normalisation([batch])
            record = network_record(
                network,
                contract=reader.contract,
                conditions_hash=reader.conditions.hash,
                data_hash="untrained",
                layout=reader.layout.name,
                mode=mode.name,
                split=Split(dataset="benchmark"),
            )
            file = Path(folder) / f"{kind.__name__}.onnx"
            export(network, record, events.select(slice(0, None, 20)), file)
            files[kind.__name__] = file
            parameters[kind.__name__] = sum(values.numel() for values in network.parameters())
            operations[kind.__name__] = operations_per_event(network, batch)
        rates = measure({name: Scorer(file) for name, file in files.items()}, events)
        one_by_one = measure({name: Scorer(file, micro_batch=1) for name, file in files.items()}, events)
    default, peak = rates["EdgeConvNetwork"], matrix_rate()
    result = {
        name: {
            "parameters": parameters[name],
            "events_per_cpu_second": round(rate),
            "ratio": round(rate / default, 2),
            "one_event_ms": round(1e3 / one_by_one[name], 3),
            "megaflop_per_event": round(operations[name] / 1e6, 2),
            "share_of_matrix_rate": round(operations[name] * rate / peak, 3),
        }
        for name, rate in sorted(rates.items(), key=lambda item: -item[1])
    }
    document = {
        "machine": facts,
        "hits_per_event": round(float(events.hits_per_event.mean()), 1),
        "matrix_gigaflops": round(peak / 1e9, 1),
        "networks": result,
    }
    options.out.write_text(json.dumps(document, indent=1) + "\n")
    for name, row in result.items():
        print(f"{name:26}" + "".join(f"{value:>10,}" for value in row.values()))


def kinds() -> list[type[EventNetwork]]:
    """Return the networks that need nothing but the inputs."""
    found = {
        kind
        for info in walk_packages(na64ml.models.__path__, "na64ml.models.")
        for kind in vars(resolve_name(info.name)).values()
        if isinstance(kind, type) and issubclass(kind, EventNetwork) and kind is not EventNetwork
    }
    standing = [
        kind
        for kind in found
        if all(p.default is not Parameter.empty for p in list(signature(kind).parameters.values())[1:])
    ]
    return sorted(standing, key=lambda kind: kind.__name__)


def measure(scorers: dict[str, Scorer], events: EventBatch) -> dict[str, float]:
    """Return events per second of CPU time, the best of several passes that take turns."""
    best = dict.fromkeys(scorers, float("inf"))
    for _ in range(PASSES):
        for name, scorer in scorers.items():
            best[name] = min(best[name], processor_time(lambda scorer=scorer: scorer.score(events)))
    return {name: len(events) / seconds for name, seconds in best.items()}


def operations_per_event(network: EventNetwork, batch: PackedBatch) -> float:
    """Return the additions and multiplications in products of matrices, of an event of average size."""
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(batch.hits, batch.detector, batch.event, batch.track)
    return float(counter.get_total_flops()) / batch.n_events


def matrix_rate() -> float:
    """Return the operations per CPU second in a product of large matrices in single precision."""
    left, right = torch.rand(MATRIX, MATRIX), torch.rand(MATRIX, MATRIX)
    return 2 * MATRIX**3 / min(processor_time(lambda: left @ right) for _ in range(PASSES))


if __name__ == "__main__":
    main()
