"""Passes of weaver-core's training loader, for weaver_loader.py; runs in the environment of weaver-core."""

import json
import sys
import time
from importlib.metadata import version
from itertools import islice

import torch
from torch.utils.data import DataLoader
from weaver.utils.dataset import SimpleIterDataset

SETTINGS = {
    "in tenths": {"fetch_step": 0.1},
    "whole file": {"fetch_step": 1},
    "in memory": {"fetch_step": 1, "in_memory": True},
}
"""How much is read at a time; the last keeps the padded events after the first pass."""


def main() -> None:
    torch.set_num_threads(1)
    tree, config, batch_size, n_events = (
        json.loads(sys.argv[1])[key] for key in ("tree", "config", "batch_size", "n_events")
    )
    loaders = {name: loader(tree, config, batch_size, setting) for name, setting in SETTINGS.items()}
    for line in sys.stdin:
        name = line.strip()
        if name == "versions":
            answer = {"settings": list(SETTINGS), **{key: version(key) for key in ("weaver-core", "torch", "uproot")}}
        else:
            answer = one_pass(loaders[name], n_events // batch_size)
        print(json.dumps(answer), flush=True)


def loader(tree: str, config: str, batch_size: int, setting: dict[str, object]) -> DataLoader:
    """Return the loader that weaver's own training makes."""
    load = {"load_range_and_fraction": ((0, 1), 1.0, 1), "name": "train", **setting}
    events = SimpleIterDataset({"events": [tree]}, config, batch_size=batch_size, for_training=True, **load)
    return DataLoader(events, batch_size=batch_size, drop_last=True, num_workers=0)


def one_pass(batches: DataLoader, n_batches: int) -> dict[str, float]:
    """Take full batches once; in memory they would never end."""
    wall, cpu = time.perf_counter(), time.process_time()
    n_events = sum(len(labels["truth"]) for _, labels, _ in islice(batches, n_batches))
    return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "n_events": n_events}


if __name__ == "__main__":
    main()
