"""All networks on equal terms: the same events, epochs and learning-rate search; tested on the same Geant4 events.

    python experiments/bakeoff/ladder.py train.root            # train all families, one after the other
    python experiments/bakeoff/ladder.py train.root --families GravNet DeepSets

Trainings that are finished are not repeated, so several processes can share the families, and a run that was
interrupted goes on. The results of all families that are finished are written to ladder.json, which keeps the others.
"""

import argparse
import json
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "chain"))
from bakeoff.training import Training
from chain.run import OTHER, TESTED, Sample

FAMILIES = {
    "DeepSets": "deep_sets_network.DeepSetsNetwork",
    "EdgeConv, factorised": "fast_edge_conv_network.FastEdgeConvNetwork",
    "EdgeConv": "edge_conv_network.EdgeConvNetwork",
    "Detector encoders": "detector_network.DetectorNetwork",
    "EdgeConv, dynamic": "dynamic_edge_conv_network.DynamicEdgeConvNetwork",
    "GravNet": "gravnet_network.GravNetNetwork",
    "Set transformer": "set_transformer_network.SetTransformerNetwork",
    "GATv2": "geometric_network.GeometricNetwork",
}
"""Networks by name: class in ``na64ml.models``, with default sizes."""

RATES = (0.001, 0.003, 0.01)
"""Learning rates tried, for `SEARCH_EPOCHS` epochs each; that with the lowest validation loss is used."""

SEARCH_EPOCHS, EPOCHS = 1, 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sample", type=Path, help="training events, with their layout beside them")
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--work", type=Path, default=Path("runs/bakeoff"), help="folder for training runs")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "ladder.json")
    arguments = parser.parse_args()
    for name in arguments.families:
        best_of_search(arguments.work, arguments.sample, name)
    tested = {file: Sample.read(file) for file in (TESTED, OTHER)}
    results: dict[str, object] = json.loads(arguments.out.read_text()) if arguments.out.is_file() else {}
    for name in FAMILIES:
        training = chosen(arguments.work, arguments.sample, name)
        if training is not None and training.is_finished:
            results[name] = training.results(tested)
    arguments.out.write_text(json.dumps(results, indent=1) + "\n")


def best_of_search(work: Path, sample: Path, name: str) -> Training:
    """Return the training of a family with the best learning rate; it is run if it is not there."""
    for search in searches(work, sample, name):
        search.run()
    training = chosen(work, sample, name)
    assert training is not None
    training.run()
    return training


def searches(work: Path, sample: Path, name: str) -> list[Training]:
    """Return the short trainings of a family."""
    return [_training(work, sample, name, rate, SEARCH_EPOCHS) for rate in RATES]


def chosen(work: Path, sample: Path, name: str) -> Training | None:
    """Return the long training of a family, None if its learning rate is not searched yet."""
    found = {
        rate: search for rate, search in zip(RATES, searches(work, sample, name), strict=True) if search.is_finished
    }
    if len(found) < len(RATES):
        return None
    rate = min(found, key=lambda rate: found[rate].curve()[-1])
    return _training(work, sample, name, rate, EPOCHS)


def _training(work: Path, sample: Path, name: str, rate: float, epochs: int) -> Training:
    options = {"model.network": f"na64ml.models.{FAMILIES[name]}", "model.learning_rate": rate}
    folder = work / "ladder" / name.replace(", ", "_").replace(" ", "_") / f"rate_{rate:g}_epochs_{epochs}"
    return Training(folder, [sample], {**options, "trainer.max_epochs": epochs}, cache=work / "cache")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    main()
