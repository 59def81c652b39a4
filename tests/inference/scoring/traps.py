"""A fault that workers can import."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Trap:
    """Hides no event; the first worker that finds the file deletes it and dies."""

    file: Path

    hash = "trap"

    def __call__(self, events):
        if self.file.exists():
            self.file.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return np.zeros(len(events), dtype=bool)
