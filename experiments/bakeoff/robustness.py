"""How a network holds on events that differ from its training: changed Geant4 events, and other simulations.

    python experiments/bakeoff/robustness.py model.onnx library=library.root pile_up_10=pileup10.root

The threshold is that of one reducible survivor in the 80 GeV box of the nominal reference events, and stays there.
Samples made by ``na64ml simulate`` are tested as they are; the first one is what the others are compared with.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "chain"))
from bakeoff.variations import VARIATIONS
from chain.run import LEVEL, OTHER, TESTED, Sample

from na64ml.evaluation.survivors import efficiency_at_survivors_interval
from na64ml.events.batch import concatenate
from na64ml.events.layout import layout_beside
from na64ml.events.reader import EventReader
from na64ml.inference import Scorer
from na64ml.selection.efficiency import efficiency
from na64ml.selection.independent import leading_showers, trial_of_event

BOXES = ("50", "80")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("samples", nargs="*", metavar="NAME=FILE")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "robustness.json")
    arguments = parser.parse_args()
    scorer, reader, nominal = Scorer(arguments.model), EventReader("na64e_reference"), reference()
    events = nominal.view.batch
    threshold = at_one_survivor(nominal, scorer)
    results: dict[str, object] = {"weights_hash": scorer.metadata.weights_hash, "threshold": round(threshold, 4)}
    if arguments.out.is_file():
        known = json.loads(arguments.out.read_text())
        results = known if known["weights_hash"] == results["weights_hash"] else results
    for name, vary in VARIATIONS.items():
        results[name] = measure(Sample.of(vary(events, reader.setup), reader), scorer, threshold)
    for name, _, file in (sample.partition("=") for sample in arguments.samples):
        results[name] = measure(Sample.read(file, str(layout_beside(Path(file)))), scorer, threshold)
    arguments.out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


def reference() -> Sample:
    """Return the events of both reference runs."""
    reader = EventReader("na64e_reference")
    return Sample.of(concatenate([reader.read(TESTED), reader.read(OTHER)]), reader)


def at_one_survivor(sample: Sample, scorer: Scorer) -> float:
    """Return the threshold that leaves one reducible event in the larger box."""
    score = sample.scores(scorer)
    signal, reducible = sample.signal, sample.reducible
    inside = sample.inside[BOXES[-1]]
    point = efficiency_at_survivors_interval(
        score[signal], inside[signal], score[reducible], inside[reducible], 1, cl=LEVEL, n_resamples=1
    )
    return point.threshold


def measure(sample: Sample, scorer: Scorer, threshold: float) -> dict[str, object]:
    """Return the share of each kind that passes trigger, box and threshold; background as counts of those generated."""
    score = sample.scores(scorer)
    kept = score >= threshold
    signal, decay, reducible = sample.signal, sample.decay, sample.reducible
    trial = trial_of_event(len(kept), leading_showers(sample.view.batch))
    results: dict[str, object] = {"not_scored": int(np.isinf(score).sum())}
    for box in BOXES:
        inside = sample.inside[box]
        found = efficiency(inside & kept & signal, signal.astype(float), cl=LEVEL)
        results[f"box_{box}"] = {
            "signal_efficiency": [round(value, 4) for value in (found.value, found.lo, found.hi)],
            "cap": round(float((inside & signal).sum() / signal.sum()), 4),
            "reducible": [int((inside & kept & reducible).sum()), int(reducible.sum())],
            "reducible_showers": len(np.unique(trial[inside & kept & reducible])),
            "decays": [int((inside & kept & decay).sum()), int(decay.sum())],
        }
    return results


if __name__ == "__main__":
    main()
