"""Our training loader against that of weaver-core: the same columns of the same events, one process each, by turns.

Give training events (their layout beside them) and the interpreter of an environment with weaver-core, as
experiments/bakeoff/particlenet/environment.sh makes it::

    OMP_NUM_THREADS=1 python experiments/benchmarks/weaver_loader.py train.root --weaver weaver/bin/python
"""

import argparse
import json
import math
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import torch
import uproot
import yaml
from machine import machine
from other_environment import OtherEnvironment
from overhead import spread

from na64ml.events.batch import HIT_FEATURES, TRACK_FEATURES, EventBatch
from na64ml.events.cache import build_cache, open_cache
from na64ml.events.layout import layout_beside
from na64ml.events.reader import EventReader
from na64ml.graphs.loader import PackedEvents, packed_loader

HERE = Path(__file__).parent
BASKET = 5_000
BUILDS = 3
TARGET = 10
"""How many times weaver's rate ours should be."""

Pass = dict[str, float]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write JSON and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sample", type=Path, help="ROOT file")
    parser.add_argument("--weaver", type=Path, required=True, help="Python interpreter that has weaver-core")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks"), help="folder for the tree and the cache")
    parser.add_argument("--out", type=Path, default=HERE / "weaver_loader.json", help="JSON file for the result")
    parser.add_argument("--batch-size", type=int, default=128, help="events of a batch: weaver's default")
    parser.add_argument("--passes", type=int, default=5, help="timed passes, after one that is not timed")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    facts = machine()
    reader = EventReader(str(layout_beside(options.sample)))
    events, building = cached(reader, options.sample, options.work / "weaver_loader_cache")
    sample = PackedEvents(
        events, np.arange(len(events)), events.process.astype(np.int64), np.ones(len(events), dtype=np.float32)
    )
    settings = {
        "tree": str(write_tree(options.work / "weaver_loader.root", events)),
        "config": str(write_config(options.work / "weaver_loader.yaml", events)),
        "batch_size": options.batch_size,
        "n_events": len(events),
    }
    with OtherEnvironment(options.weaver, HERE / "weaver_loader_turns.py", settings) as weaver:
        versions = weaver.ask("versions")
        passes: dict[str, list[Pass]] = {"na64ml": [], **{name: [] for name in versions.pop("settings")}}
        for _ in range(options.passes + 1):
            for name, measured in passes.items():
                measured.append(own_pass(sample, options.batch_size) if name == "na64ml" else weaver.ask(name))
    result = {
        "machine": {**facts, "weaver environment": versions},
        "n_events": len(events),
        "hits_per_event": round(events.n_hits / len(events), 2),
        "batch_size": options.batch_size,
        "passes": options.passes,
        "cache_building_seconds": building,
        **compared({name: measured[1:] for name, measured in passes.items()}, building["cpu"]["median"]),
        "target": TARGET,
        "note": "ratios are of processor time: the machine did other work",
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({key: result[key] for key in ("events_per_cpu_second", "ratio", "paid_for_in_epochs")}, indent=1))


def cached(reader: EventReader, sample: Path, folder: Path) -> tuple[EventBatch, dict[str, dict[str, float]]]:
    """Return the events from a cache that is built a few times, and what building it took."""
    seconds: dict[str, list[float]] = {"cpu": [], "wall": []}
    for _ in range(BUILDS):
        shutil.rmtree(folder, ignore_errors=True)
        wall, cpu = time.perf_counter(), time.process_time()
        cache = build_cache(reader, sample, folder)
        seconds["cpu"].append(time.process_time() - cpu)
        seconds["wall"].append(time.perf_counter() - wall)
    return open_cache(cache), {clock: spread(values) for clock, values in seconds.items()}


def write_tree(path: Path, events: EventBatch) -> Path:
    """Write what our batches hold as a flat tree with large baskets."""
    detector = events.detector.astype(np.float32)
    columns = dict(zip((*HIT_FEATURES, "detector"), (*events.hits.T, detector), strict=True))
    hits = ak.unflatten(ak.zip(columns), events.hits_per_event)
    tracks = {f"track_{name}": events.track[:, i] for i, name in enumerate(TRACK_FEATURES)}
    scalars = {**tracks, "process": events.process.astype(np.int32)}
    with uproot.recreate(path, compression=uproot.LZ4(4)) as file:
        tree = file.mktree("Events", {"hit": hits.type.content, **{key: a.dtype for key, a in scalars.items()}})
        for start in range(0, len(events), BASKET):
            part = slice(start, start + BASKET)
            tree.extend({"hit": hits[part], **{key: values[part] for key, values in scalars.items()}})
    return path


def write_config(path: Path, events: EventBatch) -> Path:
    """Write weaver's description of the tree: nothing is scaled, hits are padded to the longest event."""
    longest = int(events.hits_per_event.max())
    hits = [[f"hit_{name}", None] for name in (*HIT_FEATURES, "detector")]
    config: dict[str, Any] = {
        "treename": "Events",
        "new_variables": {"hit_mask": "ak.ones_like(hit_energy)"},
        "preprocess": {"method": "manual", "data_fraction": 1},
        "inputs": {
            "hits": {"length": longest, "vars": hits},
            "mask": {"length": longest, "vars": [["hit_mask", None]]},
            "track": {"length": None, "vars": [[f"track_{name}", None] for name in TRACK_FEATURES]},
        },
        "labels": {"type": "custom", "value": {"truth": "process"}},
    }
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return path


def own_pass(sample: PackedEvents, batch_size: int) -> Pass:
    """Take every event once, in random order."""
    wall, cpu = time.perf_counter(), time.process_time()
    n_events = sum(batch.n_events for batch in packed_loader(sample, batch_size, shuffle=True))
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "n_events": n_events}


def compared(passes: dict[str, list[Pass]], building: float) -> dict[str, Any]:
    """Return rates, their ratios turn by turn, and how many epochs the cache needs to pay for itself."""
    result: dict[str, Any] = {}
    for clock in ("cpu", "wall"):
        result[f"events_per_{clock}_second"] = {
            name: rates([one["n_events"] / one[clock] for one in measured]) for name, measured in passes.items()
        }
    seconds = {name: [one["cpu"] / one["n_events"] for one in measured] for name, measured in passes.items()}
    ours, n_events = seconds.pop("na64ml"), passes["na64ml"][0]["n_events"]
    result["ratio"] = {
        name: spread([their / own for their, own in zip(theirs, ours, strict=True)]) for name, theirs in seconds.items()
    }
    gain = {name: float(np.median(theirs) - np.median(ours)) * n_events for name, theirs in seconds.items()}
    result["paid_for_in_epochs"] = {name: math.ceil(building / saved) for name, saved in gain.items()}
    return result


def rates(values: Sequence[float]) -> dict[str, int]:
    """Return median, lowest and highest in whole events."""
    return {name: round(value) for name, value in spread(values).items()}


if __name__ == "__main__":
    main()
