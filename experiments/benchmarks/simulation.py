"""How fast events are made with the library engine: generation, engine and readout apart, in CPU time.

Run with one thread, after making the library::

    na64ml simulate --library shipped:na64e_shower_library --out library.root
    na64ml simulate --library shipped:na64e_shower_library_fine --out fine.root
    OMP_NUM_THREADS=1 python experiments/benchmarks/simulation.py library.root fine.root
"""

import argparse
import json
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import uproot
from machine import machine
from numpy.random import SeedSequence

from na64ml.simulation.digitisation import Digitiser
from na64ml.simulation.engines.library import Library
from na64ml.simulation.recipe import Plan, load_recipe

HERE = Path(__file__).parent
SHARD = 1000


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write JSON and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library", type=Path, nargs="+", help="files of a shower library of the reference setup")
    parser.add_argument("--recipe", default="shipped:na64e_reference", help="processes and their proportions")
    parser.add_argument("--passes", type=int, default=5, help="timed passes, after one that is not timed")
    parser.add_argument("--out", type=Path, default=HERE / "simulation.json", help="JSON file for the result")
    options = parser.parse_args(arguments)

    facts = machine()
    plan = Plan(load_recipe(options.recipe))
    start = time.process_time()
    transport = Library(path=options.library).open(plan.setup)
    opened = time.process_time() - start
    digitiser = Digitiser(plan.setup, plan.conditions, plan.digitisation, plan.recipe.run, SeedSequence(0))
    rows: dict[str, dict[str, Any]] = {}
    seconds = dict.fromkeys(("generation", "engine", "readout"), 0.0)
    total = sum(plan.events)
    for process, weight in zip(plan.processes, plan.events, strict=True):
        rng = np.random.default_rng(1)
        events = process.generate(SHARD, plan.beamline, rng)
        deposits = transport.run(events.particles, SHARD, SeedSequence(1))
        steps: dict[str, Callable[[], object]] = {
            "generation": lambda process=process, rng=rng: process.generate(SHARD, plan.beamline, rng),
            "engine": lambda events=events: transport.run(events.particles, SHARD, SeedSequence(1)),
            "readout": lambda events=events, deposits=deposits, rng=rng: digitiser.digitise(
                events, deposits, None, rng
            ),
        }
        rates = {name: rate(step, options.passes) for name, step in steps.items()}
        rows[process.name] = {
            "particles_per_event": round(len(events.particles) / SHARD, 2),
            "share": round(weight / total, 3),
            **rates,
        }
        for name in seconds:
            seconds[name] += weight / rates[name]
    mix = {name: round(total / value) for name, value in seconds.items()}
    mix["all"] = round(total / sum(seconds.values()))
    result = {
        "machine": facts,
        "library": [provenance(path) for path in options.library],
        "library_bytes": sum(path.stat().st_size for path in options.library),
        "seconds_to_open": round(opened, 2),
        "events_at_once": SHARD,
        "passes": options.passes,
        "events_per_cpu_second": {"mix of the recipe": mix, **rows},
        "peak_memory_mb": memory(transport, plan),
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"{'events per CPU second':28}{'generation':>12}{'engine':>10}{'readout':>10}")
    for name, row in {"mix of the recipe": mix, **rows}.items():
        print(f"{name:28}{row['generation']:>12,}{row['engine']:>10,}{row['readout']:>10,}")
    print(f"all steps {mix['all']:,}; memory {result['peak_memory_mb']}")


def rate(step: Callable[[], object], passes: int) -> int:
    """Return the median events per CPU second, after one pass that warms up."""
    step()
    rates = []
    for _ in range(passes):
        start = time.process_time()
        step()
        rates.append(SHARD / (time.process_time() - start))
    return round(statistics.median(rates))


def memory(transport: Any, plan: Plan) -> dict[str, float]:
    """Return the peak memory after 1, 10 and 100 shards of the heaviest process."""
    process = max(plan.processes, key=lambda one: one.name == "electroproduction")
    rng, peaks, done = np.random.default_rng(2), {}, 0
    for shards in (1, 10, 100):
        while done < shards:
            transport.run(process.generate(SHARD, plan.beamline, rng).particles, SHARD, SeedSequence(done))
            done += 1
        peaks[f"{shards * SHARD} events"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    return peaks


def provenance(path: Path) -> dict[str, Any]:
    """Return what identifies a library."""
    with uproot.open(path) as file:
        notes = json.loads(str(file["provenance"]))
    return {name: notes[name] for name in ("recipe_hash", "content_hash", "n_events")}


if __name__ == "__main__":
    main()
