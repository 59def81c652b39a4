"""Events of na64ml as flat trees for weaver-core: what our networks see of a hit, padded to nothing.

    python experiments/bakeoff/particlenet/convert.py train.root --out runs/particlenet

Writes train.root, validation.root and test.root (the split that ``na64ml fit`` makes of the same file for the dataset
``bakeoff``), the reference files, of which all events are tested, and the weights of the classes. Events are in the
order of `na64ml.events.reader.EventReader`.
"""

import argparse
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import torch
import uproot
from numpy.typing import NDArray

from na64ml.events.batch import EventBatch
from na64ml.events.layout import layout_beside
from na64ml.events.reader import EventReader
from na64ml.graphs.batch import PackedBatch, pack
from na64ml.graphs.knn import STEPS_PER_PITCH
from na64ml.graphs.sample import Sample, Split
from na64ml.models.edge_conv_network import EdgeConvNetwork
from na64ml.models.inputs import network_inputs
from na64ml.selection.mode import load_mode

DATASET = "bakeoff"
TESTED = ("na64e_reference", "na64e_reference_b")
DETECTORS = ("SRD", "VHCAL", "ECAL", "VETO", "HCAL", "MM", "ST")
"""Order of the one-hot columns; that of a reader depends on its layout."""

HIT = ("u", "v", "log_u", "log_v", "kink", "log_energy", "energy", "share", "time", "has_time")
"""Hit features of `na64ml.models.features.EventFeatures`, without those of the shower profile."""
TRACK = ("momentum", "angle_x", "angle_y", "quality", "has_momentum", "has_angle", "has_quality")
"""Its track features; ParticleNet has no event features, so that every hit carries them."""
PLACE = ("place_x", "place_y", "place_z", "depth")
"""Coordinates in pitches in which our networks seek neighbours; the last once more as a feature."""

BASKET = 5_000
"""Events of a basket."""

logger = logging.getLogger("na64ml.experiments.particlenet")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sample", type=Path, help="training events, with their layout beside them")
    parser.add_argument("--out", type=Path, default=Path("runs/particlenet"), help="folder for the trees")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    reader = EventReader(str(layout_beside(arguments.sample)))
    sample = labelled(reader, str(arguments.sample))
    for part, members in sample.parts.items():
        write(arguments.out / f"{part}.root", reader, sample, np.flatnonzero(members))
    counts = np.bincount(sample.label[sample.parts["train"]], minlength=len(sample.classes))
    weights = counts.sum() / (len(counts) * counts)
    facts = {"classes": list(sample.classes), "trained": counts.tolist(), "weights": weights.round(6).tolist()}
    (arguments.out / "classes.json").write_text(json.dumps(facts) + "\n")
    reference = EventReader("na64e_reference")
    for name in TESTED:
        tested = labelled(reader=reference, file=f"shipped:{name}.root")
        write(arguments.out / f"{name}.root", reference, tested, np.arange(len(tested.label)))


def labelled(reader: EventReader, file: str) -> Sample:
    """Read a file and split it as ``na64ml fit`` does."""
    events, mode = reader.read(file), load_mode("na64e_invisible")
    split = Split(dataset=DATASET).assign(events.ids)
    return Sample(events, mode.label(events).astype(np.int64), np.ones(len(events)), split, mode.classes)


def write(path: Path, reader: EventReader, sample: Sample, members: NDArray[np.int64]) -> None:
    """Write a tree of the given events."""
    with uproot.recreate(path, compression=uproot.LZ4(4)) as file:
        tree = None
        for batch, which in batches(sample.events, members):
            columns = hits(reader, batch) | truth(sample, which)
            tree = tree or file.mktree("Events", {name: kind(values) for name, values in columns.items()})
            tree.extend(columns)
    logger.info("wrote %d events to %s", len(members), path)


def batches(events: EventBatch, members: NDArray[np.int64]) -> Iterator[tuple[PackedBatch, NDArray[np.int64]]]:
    """Yield the events of each basket."""
    label, weight = np.zeros(len(events), dtype=np.int64), np.ones(len(events), dtype=np.float32)
    for start in range(0, len(members), BASKET):
        which = members[start : start + BASKET]
        yield pack(events, which, label, weight), which


@torch.no_grad()
def hits(reader: EventReader, batch: PackedBatch) -> dict[str, Any]:
    """Return the features of hits as a jagged record."""
    network = EdgeConvNetwork(network_inputs(reader, load_mode("na64e_invisible")))
    place = network.grid(batch.hits, batch.detector, batch.event, batch.track) / STEPS_PER_PITCH
    raw = network.features.raw(batch.hits, batch.detector, batch.event, batch.track)
    order = torch.tensor([DETECTORS.index(name) for name in reader.detectors])
    one_hot = torch.nn.functional.one_hot(order[batch.detector], len(DETECTORS))
    columns = [raw.hits[:, : len(HIT)], place, place[:, 2:], one_hot, raw.track[batch.event]]
    values = torch.cat(columns, dim=1).numpy().astype(np.float32)
    names = (*HIT, *PLACE, *(f"is_{name}" for name in DETECTORS), *TRACK)
    counts = np.bincount(batch.event.numpy(), minlength=batch.n_events)
    return {"hit": ak.unflatten(ak.zip(dict(zip(names, values.T, strict=True))), counts)}


def truth(sample: Sample, which: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Return one label per class and the identifiers."""
    labels = {f"label_{name}": (sample.label[which] == i).astype(np.int32) for i, name in enumerate(sample.classes)}
    ids = dict(zip(("run", "spill", "spillevent"), sample.events.ids[which].T, strict=True))
    return {**labels, **ids}


def kind(values: Any) -> Any:
    """Return the type that uproot needs."""
    return values.type if isinstance(values, ak.Array) else values.dtype


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    main()
