"""The C++ scorer beside the Python scorer on the same events and file, taking turns, in processor time.

Give a network, for example the one of the demo::

    OMP_NUM_THREADS=1 python experiments/benchmarks/cpp_scoring.py --model demo/model.onnx
"""

import argparse
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from machine import machine
from measuring import processor_time, program_time

from na64ml.cli import main as na64ml
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.inference import Scorer
from na64ml.inference.raw_arrays import write_arrays

HERE = Path(__file__).parent
MICRO_BATCHES = (1, 16)
TURNS = 5
PASSES = 2
"""Passes over the events in each turn, after one that is not counted: the runtime gets its memory in the first."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Build the C++ program, measure, write JSON and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="ONNX file written by 'na64ml export'")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks/cpp"), help="folder for the C++ program")
    parser.add_argument("--out", type=Path, default=HERE / "cpp_scoring.json", help="JSON file for the result")
    parser.add_argument("--events", type=int, default=5025, help="how many of the reference events")
    options = parser.parse_args(arguments)
    facts = machine()
    program = build(options.work)
    events = EventReader("na64e_reference").read("shipped:na64e_reference.root").select(slice(0, options.events))
    folder = options.work / "arrays"
    write_arrays(events, folder)
    rows = []
    for size in MICRO_BATCHES:
        scorer = Scorer(options.model, micro_batch=size)
        scorer.score(events)
        command = [str(program), str(options.model), str(folder), str(size)]
        rates = [(python_rate(scorer, events), cpp_rate(command, events)) for _ in range(TURNS)]
        in_python, in_cpp = (statistics.median(column) for column in zip(*rates, strict=True))
        ratios = [there / here for here, there in rates]
        rows.append(
            {
                "micro_batch": size,
                "python_events_per_cpu_second": round(in_python),
                "cpp_events_per_cpu_second": round(in_cpp),
                "ratio_cpp_to_python": round(statistics.median(ratios), 3),
                "ratio_lowest": round(min(ratios), 3),
                "ratio_highest": round(max(ratios), 3),
            }
        )
    options.out.write_text(
        json.dumps({"machine": facts, "events": len(events), "turns": TURNS, "passes": PASSES, "rows": rows}, indent=1)
        + "\n"
    )
    print(f"{'micro-batch':>12}{'Python':>10}{'C++':>10}{'ratio':>8}   events per second of processor time")
    for row in rows:
        print(
            f"{row['micro_batch']:>12}{row['python_events_per_cpu_second']:>10,}{row['cpp_events_per_cpu_second']:>10,}"
            f"{row['ratio_cpp_to_python']:>8}   ({row['ratio_lowest']} to {row['ratio_highest']})"
        )


def build(work: Path) -> Path:
    """Copy the headers and build the example that scores arrays."""
    na64ml(["cpp", "--copy-to", str(work / "source")])
    configure = ["cmake", "-S", work / "source", "-B", work / "build", f"-DPython3_EXECUTABLE={sys.executable}"]
    for command in (configure, ["cmake", "--build", work / "build", "--target", "score_arrays"]):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return work / "build" / "score_arrays"


def python_rate(scorer: Scorer, events: EventBatch) -> float:
    """Return events per second of processor time in this process."""
    return PASSES * len(events) / processor_time(lambda: [scorer.score(events) for _ in range(PASSES)])


def cpp_rate(command: list[str], events: EventBatch) -> float:
    """Return events per second of processor time of the C++ program, without its start and first pass."""
    first, all_passes = (program_time([*command, str(n), *events.detectors]) for n in (1, 1 + PASSES))
    return PASSES * len(events) / (all_passes - first)


if __name__ == "__main__":
    main()
