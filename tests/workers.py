"""What workers of the scheduler tests do; in a module of its own so that they can import it."""

import os
import signal
import time
from pathlib import Path


def double(number: int) -> int:
    return 2 * number


def fail_on_three(number: int) -> int:
    if number == 3:
        raise ValueError("three")
    return number


def note_process(number: int, folder: Path) -> int:
    """Leave a file named by the process, and be slow."""
    (folder / f"{os.getpid()}.{number}").touch()
    time.sleep(0.2)
    return number


def die_on(number: int, folder: Path, times: dict[int, int]) -> int:
    """Die when doing some tasks for the first times; leave a file for each call."""
    (folder / f"{number}.{time.monotonic_ns()}").touch()
    if len(list(folder.glob(f"{number}.*"))) <= times.get(number, 0):
        os.kill(os.getpid(), signal.SIGKILL)
    return number
