"""What a network learns from each engine: trained on its events, tested on the same Geant4 events.

    python experiments/fast_engines/rejection.py geant4=SAMPLE.root library=SAMPLE.root parametric=SAMPLE.root

Every network is the default one, with the same number of training steps. The test events are both runs of the reference
sample, which no network has seen in training. Trainings that are finished are not repeated.
"""

import argparse
import json
import logging
import sys
from pathlib import Path

import numpy as np
import uproot

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "chain"))
from chain.run import CONFIG, OTHER, TESTED, Sample, command, in_order, study

from na64ml.evaluation.scored import ScoredEvents
from na64ml.events.layout import layout_beside

STEPS = 12_000
"""Training steps of 64 events."""

BATCH, TRAINED_SHARE = 64, 0.72
"""Events of a step, and the share of a sample that is trained on (not test fold, not validation)."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", nargs="+", metavar="NAME=FILE")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--work", type=Path, default=Path("runs/fast_engines"), help="folder for training runs")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "rejection.json")
    arguments = parser.parse_args()
    tested = {file: Sample.read(file) for file in (TESTED, OTHER)}
    results: dict[str, object] = {}
    for name, _, file in (sample.partition("=") for sample in arguments.samples):
        checkpoint = train(name, Path(file), arguments.steps, arguments.work)
        results[name] = {
            "training": describe(Path(file), arguments.steps),
            **{run: study(in_order(scored(checkpoint, run), sample), sample) for run, sample in tested.items()},
        }
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


def describe(file: Path, steps: int) -> dict[str, object]:
    """Return how many events a sample has, its content hash and how often they were seen."""
    with uproot.open(file) as root:
        provenance = json.loads(str(root["provenance"]))
    seen = steps * BATCH / (TRAINED_SHARE * provenance["n_events"])
    return {"events": provenance["n_events"], "content": provenance["content_hash"], "epochs": round(seen, 1)}


def train(name: str, file: Path, steps: int, work: Path) -> Path:
    """Return the last checkpoint of the network trained on a sample; it is trained if it is not there."""
    folder = work / name
    if not (folder / "trained").is_file():
        data = ["--data.files", json.dumps([str(file)]), "--data.dataset", name]
        data += ["--data.layout", str(layout_beside(file))]
        epochs = int(np.ceil(describe(file, steps)["epochs"]))
        length = ["--trainer.max_steps", str(steps), "--trainer.max_epochs", str(epochs)]
        command("fit", "--config", CONFIG, *data, *length, "--root", str(folder / "runs"))
        (folder / "trained").touch()
    return max(folder.glob("runs/*/*/checkpoints/last.ckpt"), key=lambda path: path.stat().st_mtime)


def scored(checkpoint: Path, file: str) -> ScoredEvents:
    """Return the events of a reference file scored by a network."""
    out = checkpoint.parents[1] / "scored" / Path(file.partition(":")[2]).stem
    if not (out / "scored.npz").is_file():
        model = ["--model", str(checkpoint), "--layout", "na64e_reference", "--root", str(checkpoint.parents[3])]
        command("evaluate", file, *model, "--events", "all", "--out", str(out))
    return ScoredEvents.read(out / "scored.npz")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    main()
