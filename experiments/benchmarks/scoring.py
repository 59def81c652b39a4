"""How fast and in how much memory a file is scored into a friend tree, as its length grows.

Give a network, for example the one of the demo::

    OMP_NUM_THREADS=1 python experiments/benchmarks/scoring.py --model demo/model.onnx
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from machine import machine
from repeated_file import repeated_file

from na64ml.events.reader import EventReader
from na64ml.inference import Scorer

HERE = Path(__file__).parent
REPEATS = (2, 20, 200)
"""How often the 5,025 reference events are repeated: 1e4, 1e5 and 1e6 events."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write JSON and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="ONNX file written by 'na64ml export'")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks"), help="folder for the repeated files")
    parser.add_argument("--out", type=Path, default=HERE / "scoring.json", help="JSON file for the result")
    parser.add_argument("--repeat", type=int, nargs="+", default=REPEATS, help="repetitions of the reference events")
    options = parser.parse_args(arguments)
    facts = machine()
    network = network_rate(options.model)
    runs = [
        score_in_process(options.model, repeated_file(options.work, repeat), options.work) for repeat in options.repeat
    ]
    result = {"machine": facts, "network_alone_events_per_second": network, "score_command": runs}
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(f"network alone, micro-batches of 16: {network:,} events/s")
    print(f"{'events':>12}{'seconds':>10}{'events/s':>10}{'peak MB':>10}")
    for run in runs:
        print(f"{run['events']:>12,}{run['seconds']:>10}{run['events_per_second']:>10,}{run['peak_mb']:>10,}")


def network_rate(model: Path) -> int:
    """Return events per second of the scorer on events in memory, best of three passes over the reference events."""
    events = EventReader("na64e_reference").read("shipped:na64e_reference.root")
    scorer = Scorer(model)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        scorer.score(events)
        seconds.append(time.perf_counter() - start)
    return round(len(events) / min(seconds))


def score_in_process(model: Path, file: Path, work: Path) -> dict[str, int | float]:
    """Run the score command in a process of its own; return its time and its peak memory."""
    command = [
        sys.executable,
        "-m",
        "na64ml.cli",
        "score",
        str(file),
        "--model",
        str(model),
        "--out",
        str(work / "scores.root"),
    ]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = _peak_memory(process)
    seconds = time.perf_counter() - start
    if process.returncode != 0:
        sys.exit(f"scoring {file} failed; run {' '.join(command)} to see why")
    n_events = EventReader("na64e_reference").count(file)
    return {
        "events": n_events,
        "seconds": round(seconds, 1),
        "events_per_second": round(n_events / seconds),
        "peak_mb": round(peak / 1024),
    }


def _peak_memory(process: "subprocess.Popen[bytes]") -> int:
    """Wait for a process and return its peak resident memory in KiB, as the kernel accounts for it."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss


if __name__ == "__main__":
    main()
