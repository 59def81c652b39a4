"""What a second process gains: the score command with one and with two workers, alternately, in wall time.

Give a network, for example the one of the demo, and an idle machine with at least two cores::

    OMP_NUM_THREADS=1 python experiments/benchmarks/processes.py --model demo/model.onnx
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
from measuring import spread
from other_programs import IDLE, OtherPrograms, require_idle
from repeated_file import repeated_file

HERE = Path(__file__).parent
BUDGET = 1.7
"""Least speed-up on an idle machine."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write JSON and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="ONNX file written by 'na64ml export'")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks"), help="folder for the repeated file")
    parser.add_argument("--out", type=Path, default=HERE / "processes.json", help="JSON file for the result")
    parser.add_argument("--repeat", type=int, default=20, help="how often the 5,025 reference events are repeated")
    parser.add_argument("--shard-events", type=int, default=10_000, help="events of a shard")
    parser.add_argument("--passes", type=int, default=3, help="timed runs of each")
    parser.add_argument("--busy", action="store_true", help="measure also while other programs use the cores")
    options = parser.parse_args(arguments)
    facts = machine()
    file = repeated_file(options.work, options.repeat)
    if not options.busy:
        require_idle()
    seconds: dict[int, list[float]] = {1: [], 2: []}
    with OtherPrograms() as others:
        for _ in range(options.passes):
            for workers, times in seconds.items():
                times.append(run(options.model, file, options.work, workers, options.shard_events))
    result = {
        "machine": facts,
        "load_after": round(os.getloadavg()[0], 2),
        "cores_used_by_others": others.cores,
        "idle": None if others.cores is None else others.cores <= IDLE,
        "n_events": 5025 * options.repeat,
        "passes": options.passes,
        "seconds": {f"workers_{workers}": spread(times) for workers, times in seconds.items()},
        "speed_up": spread([one / two for one, two in zip(seconds[1], seconds[2], strict=True)]),
        "budget": BUDGET,
        "note": "wall time of whole commands, start included",
    }
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({key: result[key] for key in ("seconds", "speed_up")}, indent=1))
    if result["idle"] is False:
        print(f"other programs used {others.cores} cores: the speed-up says nothing about an idle machine")


def run(model: Path, file: Path, work: Path, workers: int, shard_events: int) -> float:
    """Return the wall time of one run of the command."""
    command = [sys.executable, "-m", "na64ml.cli", "score", str(file), "--model", str(model)]
    command += ["--out", str(work / "processes.root"), "--workers", str(workers), "--shard-events", str(shard_events)]
    start = time.perf_counter()
    subprocess.run(command, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
