r"""Decays and reducible events that networks or boosted trees leave in a large sample of showers that no training saw.

    na64ml simulate experiments/fast_engines/library.yaml --events 200000 --set seed=20261131 --set run=6511 \
        --set shard_events=5000 --set engine.init_args.pool='{of: 2, use: 1}' --out unseen.root
    python experiments/bakeoff/unseen.py unseen.root "Boosted trees=trees.onnx" "EdgeConv, factorised=fast.onnx"

The reference sample has 1,050 decays of which 30 survive, so that methods there differ by chance; here are 30 times as
many. They are compared at the same share of all signal.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from rich.progress import track

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "chain"))
from chain.run import LEVEL, Sample

from na64ml.events.layout import layout_beside
from na64ml.inference import Scorer
from na64ml.selection.efficiency import efficiency
from na64ml.selection.independent import leading_showers

SIGNAL = {"50": 0.78, "80": 0.82}
"""Share of all signal that is kept, by box."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sample", type=Path, help="events of all classes, their layout beside them")
    parser.add_argument("models", nargs="+", metavar="NAME=FILE")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "unseen.json")
    arguments = parser.parse_args()
    sample = Sample.read(str(arguments.sample), str(layout_beside(arguments.sample)))
    results: dict[str, object] = json.loads(arguments.out.read_text()) if arguments.out.is_file() else {}
    for name, _, file in track([model.partition("=") for model in arguments.models], "scoring"):
        scorer = Scorer(file)
        score = scorer.score(sample.view.batch, sample.view).score.astype(float)
        boxes = {f"box_{box}": survivors(sample, score, box, share) for box, share in SIGNAL.items()}
        results[name] = {"weights_hash": scorer.metadata.weights_hash, **boxes}
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


def survivors(sample: Sample, score: np.ndarray, box: str, share: float) -> dict[str, object]:
    """Count what is left where a share of all signal is kept in a box, with intervals from distinct leading showers."""
    kept = sample.inside[box] & (score >= sample.threshold(score, box, share))
    shower, results = leading_showers(sample.view.batch), {"signal": share}
    for name, chosen in (("decays", sample.decay), ("reducible", sample.reducible)):
        found = efficiency(kept[chosen], np.ones(int(chosen.sum())), shower[chosen], LEVEL)
        results[name] = {
            "events": int(chosen.sum()),
            "survivors": int(kept[chosen].sum()),
            "share": [float(f"{value:.3g}") for value in (found.value, found.lo, found.hi)],
        }
    return results


if __name__ == "__main__":
    main()
