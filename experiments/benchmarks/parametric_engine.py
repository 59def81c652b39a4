"""How fast events are made with the parametric engine: CPU time of generation, engine and readout, and memory.

Run with one thread::

    OMP_NUM_THREADS=1 python experiments/benchmarks/parametric_engine.py

The mix is that of the shipped recipe of the reference sample.
"""

import argparse
import json
import statistics
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from machine import machine
from numpy.random import SeedSequence

from na64ml.simulation.digitisation import Digitiser
from na64ml.simulation.engines.parametric import Parametric
from na64ml.simulation.generated import GeneratedEvents
from na64ml.simulation.recipe import Plan, load_recipe

HERE = Path(__file__).parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write JSON and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "parametric_engine.json")
    parser.add_argument("--share", type=float, default=1.0, help="events of each process over those of the recipe")
    parser.add_argument("--passes", type=int, default=3)
    options = parser.parse_args(arguments)

    facts = machine()
    recipe = load_recipe("shipped:na64e_reference")
    plan = Plan(recipe)
    transport = Parametric().open(plan.setup)
    digitiser = Digitiser(plan.setup, plan.conditions, plan.digitisation, recipe.run, SeedSequence(1))
    rng = np.random.default_rng(1)
    rows: dict[str, dict[str, Any]] = {}
    sums = {"generate": 0.0, "engine": 0.0, "digitise": 0.0}
    total = 0
    for process, events in zip(plan.processes, plan.events, strict=True):
        n = max(int(events * options.share), 10)
        generate, generated = timed(lambda p=process, n=n: p.generate(n, plan.beamline, rng), options.passes)
        engine, deposits = timed(lambda g=generated: run(transport, g), options.passes)
        digitise, _ = timed(lambda g=generated, d=deposits: digitiser.digitise(g, d, None, rng), options.passes)
        rows[process.name] = {
            "events": n,
            "particles_per_event": round(len(generated.particles) / n, 2),
            "microseconds_per_event": {
                "generate": round(1e6 * generate / n, 1),
                "engine": round(1e6 * engine / n, 1),
                "digitise": round(1e6 * digitise / n, 1),
            },
        }
        total += n
        for name, seconds in (("generate", generate), ("engine", engine), ("digitise", digitise)):
            sums[name] += seconds
    result = {
        "machine": facts,
        "events": total,
        "cpu_events_per_second": {
            "engine": round(total / sums["engine"]),
            "generate, engine and digitise": round(total / sum(sums.values())),
        },
        "processes": rows,
        "peak_megabytes_besides_the_result": {str(n): memory(plan, transport, n) for n in (1000, 4000)},
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


def run(transport: Any, generated: GeneratedEvents) -> Any:
    """Transport the particles of events."""
    return transport.run(generated.particles, len(generated), SeedSequence(1))


def timed(work: Callable[[], Any], passes: int) -> tuple[float, Any]:
    """Return the median CPU time in seconds of several passes after one that is not timed, and the last result."""
    result = work()
    seconds = []
    for _ in range(passes):
        start = time.process_time()
        result = work()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds), result


def memory(plan: Plan, transport: Any, n: int) -> float:
    """Return the largest memory in MB that the engine has at once for ``n`` events, less the result."""
    generated = plan.processes[1].generate(n, plan.beamline, np.random.default_rng(2))
    tracemalloc.start()
    result = run(transport, generated)
    peak = tracemalloc.get_traced_memory()[1] - sum(values.nbytes for values in result.visible.values())
    tracemalloc.stop()
    return round(peak / 1e6, 1)


if __name__ == "__main__":
    main()
