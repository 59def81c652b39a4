r"""Decays and reducible events that networks or boosted trees leave in a large sample of showers that no training saw.

    na64ml simulate experiments/fast_engines/library.yaml --events 200000 --set seed=20261131 --set run=6511 \
        --set shard_events=5000 --set engine.init_args.pool='{of: 2, use: 1}' --out unseen.root
    python experiments/bakeoff/unseen.py unseen.root "Boosted trees=trees.onnx" "EdgeConv, factorised=fast.onnx"

The reference sample has 1,050 decays of which 30 survive, so that methods there differ by chance; here are 30 times as
many. They are compared at the same share of all signal; the difference to every method named before it in the command
comes with an interval of its own, because both are tested on the same showers.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "chain"))
from chain.run import LEVEL, Sample

from na64ml.evaluation.bootstrap import bootstrap_interval
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
    results: dict[str, dict[str, object]] = json.loads(arguments.out.read_text()) if arguments.out.is_file() else {}
    shower = leading_showers(sample.view.batch)
    kept: dict[str, dict[str, NDArray[np.bool_]]] = {}
    for name, _, file in track([model.partition("=") for model in arguments.models], "scoring"):
        scorer = Scorer(file)
        score = sample.scores(scorer)
        mine = {box: sample.inside[box] & (score >= sample.threshold(score, box, SIGNAL[box])) for box in SIGNAL}
        boxes = {f"box_{box}": {"signal": SIGNAL[box], **survivors(sample, mine[box], shower)} for box in SIGNAL}
        results[name] = {"weights_hash": scorer.metadata.weights_hash, **boxes}
        for other, its in kept.items():
            results[name][f"decays more than {other}"] = {
                f"box_{box}": difference(mine[box], its[box], sample.decay, shower) for box in SIGNAL
            }
        kept[name] = mine
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


def survivors(sample: Sample, kept: NDArray[np.bool_], shower: NDArray[np.int64]) -> dict[str, object]:
    """Count what is left, with intervals from distinct leading showers."""
    results: dict[str, object] = {}
    for name, chosen in (("decays", sample.decay), ("reducible", sample.reducible)):
        found = efficiency(kept[chosen], np.ones(int(chosen.sum())), shower[chosen], LEVEL)
        results[name] = {
            "events": int(chosen.sum()),
            "survivors": int(kept[chosen].sum()),
            "share": [float(f"{value:.3g}") for value in (found.value, found.lo, found.hi)],
        }
    return results


def difference(
    ours: NDArray[np.bool_], theirs: NDArray[np.bool_], chosen: NDArray[np.bool_], shower: NDArray[np.int64]
) -> list[int]:
    """Return how many chosen events more are left by one than by the other, and the ends of its bootstrap interval."""
    more = ours[chosen].astype(int) - theirs[chosen]
    lo, hi = bootstrap_interval(lambda counts: float(counts @ more), len(more), group=shower[chosen], cl=LEVEL)
    return [int(more.sum()), round(lo), round(hi)]


if __name__ == "__main__":
    main()
