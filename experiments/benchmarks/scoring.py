"""How fast and in how much memory a file is scored into a friend tree, as its length grows.

Give a network, for example the one of the demo::

    OMP_NUM_THREADS=1 python experiments/benchmarks/scoring.py --model demo/model.onnx
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from machine import machine
from other_programs import OtherPrograms
from repeated_file import repeated_file

from na64ml.events.reader import EventReader
from na64ml.inference import Scorer
from na64ml.inference.scoring.plan import SHARD_EVENTS

HERE = Path(__file__).parent
REPEATS = (2, 20, 200)
"""How often the 5,025 reference events are repeated: 1e4, 1e5 and 1e6 events."""

Memory = dict[str, float]


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
    runs = []
    for repeat in options.repeat:
        runs.append(score_in_process(options.model, repeated_file(options.work, repeat), options.work))
        print(json.dumps(runs[-1]))
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


def score_in_process(model: Path, file: Path, work: Path) -> dict[str, Any]:
    """Run the score command in a process of its own; return its time, and its memory on the way."""
    output = work / f"scores_{file.stem}.root"
    command = [sys.executable, "-m", "na64ml.cli", "score", str(file), "--model", str(model), "--out", str(output)]
    n_events = EventReader("na64e_reference").count(file)
    load = os.getloadavg()[0]
    with OtherPrograms() as others:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        memory, usage = watch(process, output.with_name(output.name + ".shards"), n_events)
        seconds = time.perf_counter() - start
    if process.returncode != 0:
        sys.exit(f"scoring {file} failed; run {' '.join(command)} to see why")
    return {
        "events": n_events,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "events_per_second": round(n_events / seconds),
        "peak_mb": round(usage.ru_maxrss / 1024),
        "memory": memory,
        "output_mb": round(output.stat().st_size / 1e6),
        "load": [round(load, 2), round(os.getloadavg()[0], 2)],
        "cores_used_by_others": others.cores,
    }


def watch(
    process: "subprocess.Popen[bytes]", shards: Path, n_events: int
) -> tuple[list[Memory], resource.struct_rusage]:
    """Wait for a process that scores; return its memory whenever another tenth is done, and what it used in all."""
    start = time.perf_counter()
    memory: list[Memory] = []
    tenths = 0
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return memory, usage
        finished = min(len(list(shards.glob("*.npz"))) * SHARD_EVENTS, n_events)
        if finished * 10 // n_events > tenths and (resident := _resident_mb(process.pid)):
            tenths = finished * 10 // n_events
            seconds = round(time.perf_counter() - start, 1)
            memory.append({"events": finished, "seconds": seconds, **resident})
        time.sleep(0.2)


def _resident_mb(pid: int) -> Memory:
    """Return resident memory of a process now and at most so far, in MB; nothing where the kernel does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    kilobytes = {name: int(text.split()[0]) for name, text in (line.split(":") for line in lines if "kB" in line)}
    return {name: round(kilobytes[key] / 1024) for name, key in (("now_mb", "VmRSS"), ("peak_mb", "VmHWM"))}


if __name__ == "__main__":
    main()
