"""Events as raw arrays, which the C++ program ``score_arrays`` and any other language can read."""

from pathlib import Path

import numpy as np

from na64ml.events.batch import EventBatch


def write_arrays(events: EventBatch, folder: Path) -> None:
    """Write the columns offsets.i64, detector.i64, hits.f32 and track.f32, in the byte order of the machine."""
    folder.mkdir(parents=True, exist_ok=True)
    events.offsets.astype(np.int64).tofile(folder / "offsets.i64")
    events.detector.astype(np.int64).tofile(folder / "detector.i64")
    events.hits.astype(np.float32).tofile(folder / "hits.f32")
    events.track.astype(np.float32).tofile(folder / "track.f32")
