"""How long a training step takes in mixed bfloat16, over one in 32 bits; processor time, one thread.

The networks are those of the shipped configurations, the batches events of the reference sample::

    OMP_NUM_THREADS=1 python experiments/benchmarks/precision.py

A step is forward, loss, backward, clipping and AdamW, in the context that ``--trainer.precision`` gives. Both
precisions take the same batches, by turns, so that their ratio does not depend on what else the machine does.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch.plugins import MixedPrecision, Precision
from machine import machine
from measuring import processor_time, spread

from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.graphs.batch import PackedBatch, pack
from na64ml.models.class_path import import_class
from na64ml.models.inputs import network_inputs
from na64ml.models.network import EventNetwork
from na64ml.resources import shipped
from na64ml.selection.mode import load_mode
from na64ml.training.losses import event_losses
from na64ml.yaml_files import read_yaml

HERE = Path(__file__).parent
CONFIGURATIONS = {"default": "train.yaml", "fast": "train_fast.yaml"}
BATCH_SIZES = (64, 512)
PRECISIONS = {"32-true": Precision(), "bf16-mixed": MixedPrecision("bf16-mixed", "cpu")}
N_BATCHES = 4

Context = Callable[[], AbstractContextManager[Any]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, write JSON and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=HERE / "precision.json", help="JSON file for the result")
    parser.add_argument("--turns", type=int, default=9, help="timed turns, after one that is not timed")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    facts = machine()
    reader, mode = EventReader("na64e_reference"), load_mode("na64e_invisible")
    events = reader.read("shipped:na64e_reference.root")
    label = mode.label(events).astype(np.int64)
    result = {
        name: {
            f"{size} events": compare(file, network_inputs(reader, mode), random_batches(events, label, size), options)
            for size in BATCH_SIZES
        }
        for name, file in CONFIGURATIONS.items()
    }
    document = {
        "machine": facts,
        "batches_per_turn": N_BATCHES,
        "turns": options.turns,
        "networks": result,
        "note": "processor time of one process with one thread; ratio: time of 32-true over that of bf16-mixed",
    }
    options.out.write_text(json.dumps(document, indent=1) + "\n")
    print(json.dumps({name: {n: row["ratio"] for n, row in sizes.items()} for name, sizes in result.items()}, indent=1))


def random_batches(events: EventBatch, label: np.ndarray, size: int) -> list[PackedBatch]:
    """Return batches of random events of all classes."""
    order = np.random.default_rng(1).permutation(len(events))
    weight = np.ones(len(events), dtype=np.float32)
    return [pack(events, np.sort(order[i * size : (i + 1) * size]), label, weight) for i in range(N_BATCHES)]


def compare(file: str, inputs: Any, batches: list[PackedBatch], options: argparse.Namespace) -> dict[str, Any]:
    """Return milliseconds per step of both precisions, by turns, and their ratio."""
    steps = {name: Steps(file, inputs, batches, plugin.train_step_context) for name, plugin in PRECISIONS.items()}
    turns = [{name: processor_time(each) for name, each in steps.items()} for _ in range(options.turns + 1)][1:]
    per_step = {name: spread([1e3 * turn[name] / len(batches) for turn in turns]) for name in steps}
    return {"milliseconds": per_step, "ratio": spread([turn["32-true"] / turn["bf16-mixed"] for turn in turns])}


class Steps:
    """A network in training and the batches it is trained with."""

    def __init__(self, file: str, inputs: Any, batches: list[PackedBatch], context: Context) -> None:
        configuration = read_yaml(shipped("configs") / "na64e_invisible" / file)["model"]
        chosen = configuration["network"]
        torch.manual_seed(1)
        self.network: EventNetwork = import_class(chosen["class_path"], "model.network")(inputs, **chosen["init_args"])
        self.network.fit_normalisation(batches)
        self.smoothing = configuration["label_smoothing"]
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=configuration["learning_rate"])
        self.batches, self.context = batches, context

    def __call__(self) -> None:
        """Make one step with each batch."""
        for batch in self.batches:
            self.optimizer.zero_grad()
            with self.context():
                logits = self.network(batch.hits, batch.detector, batch.event, batch.track).float()
                loss = event_losses(logits, batch.label, self.smoothing).mean()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self.optimizer.step()


if __name__ == "__main__":
    main()
