"""Reading holds a step of events, whatever the length of the file."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np

from na64ml.events.reader import EventReader

TreeFile = Callable[..., Path]
LayoutFile = Callable[..., str]


def peak(reader: EventReader, file: Path, step: int) -> int:
    tracemalloc.start()
    for batch in reader.iterate(file, step=step):
        assert len(batch) <= step
    _, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return highest


def test_memory_does_not_grow_with_the_file(tree_file: TreeFile, layout_file: LayoutFile) -> None:
    layout = layout_file({"form": "array", "detector": "ECAL", "energy": {"branch": "e"}})
    reader = EventReader(layout)
    cells = np.ones((40_000, 2, 6, 6), dtype=np.float32)
    short = tree_file("short.root", n_events=4_000, basket=500, e=cells[:4_000])
    long = tree_file("long.root", n_events=40_000, basket=500, e=cells)
    peak(reader, short, 500)
    assert peak(reader, long, 500) < 1.5 * peak(reader, short, 500)
    assert peak(reader, long, 5_000) > 3 * peak(reader, long, 500)
