"""How fast events are read: ROOT to EventBatch, and random batches from the memory-mapped cache.

Run with one thread::

    OMP_NUM_THREADS=1 python experiments/benchmarks/reading.py
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from machine import machine
from repeated_file import BASKET, repeated_file

from na64ml.events.cache import build_cache, open_cache
from na64ml.events.reader import EventReader
from na64ml.graphs.loader import PackedEvents, packed_loader

HERE = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write JSON and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--work", type=Path, default=Path("runs/benchmarks"), help="folder for the repeated file and its cache"
    )
    parser.add_argument("--out", type=Path, default=HERE / "reading.json", help="JSON file for the result")
    parser.add_argument("--repeat", type=int, default=20, help="how often the 5,025 reference events are repeated")
    parser.add_argument("--passes", type=int, default=5, help="timed passes, after one that is not timed")
    options = parser.parse_args(arguments)

    torch.set_num_threads(1)
    facts = machine()
    path = repeated_file(options.work, options.repeat)
    reader = EventReader("na64e_reference")
    events = open_cache(build_cache(reader, path, options.work / "cache"))
    sample = PackedEvents(
        events,
        np.arange(len(events), dtype=np.int64),
        events.process.astype(np.int64),
        np.ones(len(events), dtype=np.float32),
    )

    rates = {"ROOT to EventBatch": timed(partial(read_all, reader, path), options.passes)}
    for batch_size in (64, 512):
        rates[f"cache to batches of {batch_size}"] = timed(partial(load_all, sample, batch_size), options.passes)
    result = {
        "machine": facts,
        "file": {
            "n_events": len(events),
            "hits_per_event": round(events.n_hits / len(events), 2),
            "bytes": path.stat().st_size,
            "compression": "ZSTD 1",
            "basket_entries": BASKET,
        },
        "passes": options.passes,
        "events_per_second": rates,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"{'events/s':28}{'median':>10}{'lowest':>10}{'highest':>10}")
    for name, rate in rates.items():
        print(f"{name:28}{rate['median']:>10,}{rate['lowest']:>10,}{rate['highest']:>10,}")


def read_all(reader: EventReader, path: Path) -> int:
    """Read every event, in bounded memory."""
    return sum(len(batch) for batch in reader.iterate(path))


def load_all(sample: PackedEvents, batch_size: int) -> int:
    """Take every event once, in random order."""
    return sum(batch.n_events for batch in packed_loader(sample, batch_size, shuffle=True))


def timed(work: Callable[[], int], passes: int) -> dict[str, int]:
    """Return events per second, after one pass that warms the page cache."""
    work()
    rates = []
    for _ in range(passes):
        start = time.perf_counter()
        n_events = work()
        rates.append(n_events / (time.perf_counter() - start))
    return {"median": round(statistics.median(rates)), "lowest": round(min(rates)), "highest": round(max(rates))}


if __name__ == "__main__":
    main()
