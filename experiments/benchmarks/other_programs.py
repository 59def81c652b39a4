"""What other programs did on this machine during a measurement; wall times mean little if they used the cores."""

import os
import resource
import time
from pathlib import Path

IDLE = 0.1
"""Cores that other programs may use on average on a machine that counts as idle."""


class OtherPrograms:
    """Measures how many cores were used by others than this process and its children, while it is entered.

    Children count when they have ended. Where the kernel does not tell what its processors did, `cores` is None.
    """

    cores: float | None = None

    def __enter__(self) -> "OtherPrograms":
        self._start = time.monotonic(), _all_programs(), _own_programs()
        return self

    def __exit__(self, *_: object) -> None:
        begin, everything, own = self._start
        after = _all_programs()
        if everything is not None and after is not None:
            others = after - everything - (_own_programs() - own)
            self.cores = round(max(others, 0) / (time.monotonic() - begin), 2)


def require_idle(seconds: float = 5) -> None:
    """Wait for some seconds; stop if other programs compute meanwhile.

    Raises
    ------
    SystemExit
        Saying how many cores are in use.
    """
    with OtherPrograms() as others:
        time.sleep(seconds)
    if others.cores is not None and others.cores > IDLE:
        raise SystemExit(
            f"other programs use {others.cores} cores now (load {os.getloadavg()[0]:.1f}); wait until the machine is "
            "idle, or give --busy to measure all the same"
        )


def _all_programs() -> float | None:
    """Return the processor time of all programs since the machine was started, in seconds."""
    path = Path("/proc/stat")
    if not path.is_file():
        return None
    user, nice, system, _idle, _waiting, irq, soft_irq = map(int, path.read_text().split(maxsplit=8)[1:8])
    return (user + nice + system + irq + soft_irq) / os.sysconf("SC_CLK_TCK")


def _own_programs() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
