"""Upstream electroproduction that survives a network, beside the share that nothing gives away by truth.

    python experiments/bakeoff/upstream.py model.onnx na64e_invisible_geant4.root

The network must not have seen the events. The threshold is that of one reducible survivor in the 80 GeV box of the
reference.
"""

import argparse
import json
import sys
from pathlib import Path

import awkward as ak
import numpy as np
import uproot

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "chain"))
from bakeoff.robustness import at_one_survivor, reference
from chain.run import Sample
from simulation.irreducible import charged_hits, quiet

from na64ml.inference import Scorer
from na64ml.selection.efficiency import efficiency


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("sample", type=Path, help="Geant4 events with noise-free energies, in the shipped layout")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "upstream.json")
    arguments = parser.parse_args()
    scorer = Scorer(arguments.model)
    threshold = at_one_survivor(reference(), scorer)
    sample = Sample.read(str(arguments.sample), "na64e_invisible_geant4")
    with uproot.open(arguments.sample) as file:
        index = str(file["labels"]).split(",").index("electroproduction")
        truth = file["tree"].arrays()
    mine = ak.to_numpy(truth.mc_label) == index
    clear = quiet(truth[mine]) & ~charged_hits(truth[mine])
    kept = sample.scores(scorer)[mine] >= threshold
    weight = sample.view.batch.weight[mine]
    results: dict[str, object] = {"weights_hash": scorer.metadata.weights_hash, "threshold": round(threshold, 4)}
    for name, inside in sample.inside.items():
        inside = inside[mine]
        for entry, chosen in (("unbiased", weight == 1), ("biased", weight != 1)):
            rows = {"survivors": kept & inside, "irreducible by truth": clear & inside, "both": kept & clear & inside}
            results[f"box_{name}, {entry}"] = {
                "events": int(chosen.sum()),
                **{row: share(passed & chosen, weight * chosen) for row, passed in rows.items()},
            }
    arguments.out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


def share(passed: np.ndarray, weight: np.ndarray) -> dict[str, object]:
    """Return the share of the weight that passes, with its 90 % interval, and the number of events."""
    found = efficiency(passed, weight)
    return {"events": int(passed.sum()), "share": [float(f"{x:.3g}") for x in (found.value, found.lo, found.hi)]}


if __name__ == "__main__":
    main()
