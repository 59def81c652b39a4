"""Shipped networks, the best two of the ladder and boosted trees on a large sample; tested on the same Geant4 events.

    python experiments/bakeoff/large.py train300k.root shipped:na64e_invisible_geant4.root hard.root

All files have the same layout, which lies beside the first one. Trainings that are finished are not repeated; other
samples need another ``--work`` folder.
"""

import argparse
import json
import logging
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "chain"))
from bakeoff.ladder import FAMILIES
from bakeoff.training import DATASET, Training
from chain.boosted_trees import boosted_tree_scores, variables
from chain.run import OTHER, TESTED, Sample, study

from na64ml.events.layout import layout_beside
from na64ml.graphs.sample import Split

NETWORKS = ("EdgeConv, factorised", "EdgeConv", "EdgeConv, dynamic", "DeepSets")
EPOCHS = 6
TREES = "Boosted trees"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=Path, nargs="+", help="training events, the layout beside the first")
    parser.add_argument("--methods", nargs="+", choices=(*NETWORKS, TREES), default=[*NETWORKS, TREES])
    parser.add_argument("--note", help="added to the names of the results, such as 'without hard negatives'")
    parser.add_argument("--work", type=Path, default=Path("runs/bakeoff"), help="folder for training runs")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "large.json")
    arguments = parser.parse_args()
    tested = {file: Sample.read(file) for file in (TESTED, OTHER)}
    results: dict[str, object] = json.loads(arguments.out.read_text()) if arguments.out.is_file() else {}
    for name in arguments.methods:
        row = f"{name}, {arguments.note}" if arguments.note else name
        if name == TREES:
            results[row] = trees(arguments.samples, tested)
        else:
            results[row] = trained(arguments.work, arguments.samples, name).results(tested)
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")


def trained(work: Path, samples: list[Path], name: str) -> Training:
    """Return the training of a network; it is run if it is not there."""
    options = {"model.network": f"na64ml.models.{FAMILIES[name]}", "trainer.max_epochs": EPOCHS}
    folder = work / "large" / name.replace(", ", "_")
    training = Training(folder, samples, options, cache=work / "cache")
    training.run()
    return training


def trees(samples: list[Path], tested: dict[str, Sample]) -> dict[str, object]:
    """Train boosted trees on the events that train the networks, and test them."""
    layout = str(layout_beside(samples[0]))
    tables, labels = [], []
    for file in samples:
        sample = Sample.read(str(file), layout)
        train = Split(dataset=DATASET).assign(sample.view.batch.ids)["train"]
        tables.append(variables(sample.view)[train])
        labels.append(sample.label[train])
    other = [variables(sample.view) for sample in tested.values()]
    scores = boosted_tree_scores(np.concatenate(tables), np.concatenate(labels), np.concatenate(other))
    parts = np.split(scores, np.cumsum([len(table) for table in other])[:-1])
    return {file: study(part, sample) for (file, sample), part in zip(tested.items(), parts, strict=True)}


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    main()
