"""Processor time of calls and programs, and how times spread."""

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path


def processor_time(work: Callable[[], object]) -> float:
    """Return the processor time of a call in this process, in seconds."""
    start = time.process_time()
    work()
    return time.process_time() - start


def program_time(command: Sequence[str | Path], folder: Path | None = None) -> float:
    """Return the processor time of a program, in seconds; it does not see the packages of this process."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return median, lowest and highest."""
    return {
        "median": round(statistics.median(values), 3),
        "lowest": round(min(values), 3),
        "highest": round(max(values), 3),
    }
