"""What carries the rejection: the fast network with one thing changed, on the events of the ladder.

python experiments/bakeoff/ablation.py train.root
"""

import argparse
import json
import logging
import sys
from collections.abc import Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "chain"))
from bakeoff.ladder import EPOCHS, FAMILIES
from bakeoff.robustness import at_one_survivor, measure, reference
from bakeoff.training import Training
from bakeoff.variations import VARIATIONS
from chain.run import OTHER, TESTED, Sample, command

from na64ml.evaluation.flatness import flatness_in_energy, flatness_in_mass
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.working_points import working_point
from na64ml.events.reader import EventReader
from na64ml.inference import Scorer

NETWORK = f"na64ml.models.{FAMILIES['EdgeConv, factorised']}"
VARIANTS: dict[str, dict[str, object]] = {
    "as train_large.yaml": {},
    "another seed": {"seed_everything": 2},
    "without shower profile": {"model.network": "bakeoff.without_profile.WithoutProfile"},
    "dropout, label smoothing and weight decay of train.yaml": {
        "model.network.init_args.dropout": 0.3,
        "model.label_smoothing": 0.03,
        "model.weight_decay": 1.0,
    },
    "without augmentation": {"model.augmentation": "null"},
    "dead channels, wider showers and pile-up, too": {
        "model.augmentation.dead_channels": 0.01,
        "model.augmentation.lateral_scale": "[1.0, 1.8]",
        "model.augmentation.pile_up.probability": 0.1,
    },
    "blind to the energy in the ECAL": {"model.energy_blind": "[ECAL]"},
    "focal loss": {"model.focal": 2.0},
    "decorrelated from the energy in the ECAL": {"model.decorrelation.strength": 1.0},
}
"""Changed keys by name."""

SIGNAL_EFFICIENCY = 0.9
"""Of all signal, at the threshold where its flatness is measured."""

SHIFTS = ("nominal", "showers 1.6 times as wide", "2 dead ECAL cells, that of the beam and its neighbour")
"""Variations of the reference events of both runs with which every network is tested."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sample", type=Path, help="training events, with their layout beside them")
    parser.add_argument("--work", type=Path, default=Path("runs/bakeoff"), help="folder for training runs")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "ablation.json")
    arguments = parser.parse_args()
    tested = {file: Sample.read(file) for file in (TESTED, OTHER)}
    events, reader = reference().view.batch, EventReader("na64e_reference")
    shifts = {name: Sample.of(VARIATIONS[name](events, reader.setup), reader) for name in SHIFTS}
    results: dict[str, object] = {}
    for name, changed in VARIANTS.items():
        options = {"model.network": NETWORK, "trainer.max_epochs": EPOCHS, **changed}
        folder = arguments.work / "ablation" / name.replace(" ", "_").replace(",", "")
        training = Training(folder, [arguments.sample], options, cache=arguments.work / "cache")
        training.run()
        results[name] = {
            **training.results(tested),
            "flatness": flatness(training.scored(TESTED)),
            "shifts": shifted(training, shifts),
        }
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")


def flatness(scored: ScoredEvents) -> dict[str, list[float]]:
    """Return the spread of the signal efficiency, and the probability that it is flat, in energy and mass."""
    threshold = working_point(scored.of_class(scored.signal), SIGNAL_EFFICIENCY).threshold
    found = flatness_in_energy(scored, threshold), flatness_in_mass(scored, threshold)
    return {item.quantity: [round(item.spread, 3), float(f"{item.probability:.2g}")] for item in found}


def shifted(training: Training, shifts: Mapping[str, Sample]) -> dict[str, object]:
    """Return the rejection of shifted events, at the threshold of one reducible survivor of the nominal ones."""
    file = training.folder / "network.onnx"
    if not file.is_file():
        command("export", str(training.checkpoint), "--layout", "na64e_reference", "--out", str(file))
    scorer = Scorer(file)
    threshold = at_one_survivor(shifts["nominal"], scorer)
    return {name: measure(sample, scorer, threshold) for name, sample in shifts.items()}


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    main()
