"""Out-of-fold study of the whole chain on the reference events; see README.md for the question and the answer."""

import argparse
import json
import logging
import platform
from pathlib import Path

import numpy as np
from boosted_trees import boosted_tree_scores
from numpy.typing import NDArray

from na64ml.cli import main
from na64ml.errors import Na64mlError
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.survivors import efficiency_at_survivors_interval
from na64ml.events.reader import EventReader
from na64ml.selection.mode import load_mode
from na64ml.selection.variables import compute
from na64ml.selection.view import EventView

FILE = "shipped:na64e_reference.root"
N_FOLDS = 5
BOXES = {"50": 50.0, "80": 80.0}
SURVIVORS = (0, 1, 5)

logger = logging.getLogger("na64ml.experiments.chain")


def out_of_fold(work: Path, fit_options: list[str]) -> ScoredEvents:
    """Train one network per fold and score the events it has not seen; finished folds are not repeated."""
    parts = []
    for fold in range(N_FOLDS):
        folder = work / f"fold_{fold}"
        scored = folder / "evaluation" / "scored.npz"
        if not scored.is_file():
            root = folder / "runs"
            _command(
                "fit",
                "--config",
                "na64e_invisible/train.yaml",
                "--data.fold",
                str(fold),
                "--root",
                str(root),
                *fit_options,
            )
            checkpoint = max(root.glob("*/*/checkpoints/best.ckpt"), key=lambda path: path.stat().st_mtime)
            _command(
                "evaluate",
                FILE,
                "--model",
                str(checkpoint),
                "--out",
                str(scored.parent),
                "--root",
                str(root),
                "--unweighted",
            )
        parts.append(ScoredEvents.read(scored))
    return ScoredEvents.join(parts)


def study(
    score: NDArray[np.float64], label: NDArray[np.int64], inside: dict[str, NDArray[np.bool_]]
) -> dict[str, object]:
    """Measure signal efficiency and surviving decays at given numbers of reducible survivors."""
    mode = load_mode("na64e_invisible")
    signal = label == 0
    reducible = np.isin(label, [mode.class_index(name) for name in mode.reducible])
    decay = label == mode.class_index("decay_in_flight")
    results: dict[str, object] = {}
    for box, passed in inside.items():
        for survivors in SURVIVORS:
            point = efficiency_at_survivors_interval(
                score[signal], passed[signal], score[reducible], passed[reducible], survivors, cl=0.68
            )
            results[f"box_{box}/survivors_{survivors}"] = {
                "signal_efficiency": round(point.efficiency, 4),
                "lo": round(point.lo, 4),
                "hi": round(point.hi, 4),
                "decays": int((decay & passed & (score >= point.threshold)).sum()),
            }
        cap = float((signal & passed).sum() / signal.sum())
        results[f"box_{box}/cap"] = round(cap, 4)
        for target in (0.78, 0.80, 0.82, 0.85, 0.88):
            if target <= cap:
                threshold = np.sort(score[signal & passed])[::-1][round(target * signal.sum()) - 1]
                kept = passed & (score >= threshold)
                results[f"box_{box}/signal_{target}"] = {
                    "reducible": int((kept & reducible).sum()),
                    "decays": int((kept & decay).sum()),
                }
    return results


def cut_flow(view: EventView, label: NDArray[np.int64]) -> dict[str, int]:
    """Count the survivors of the simple cut flow by class."""
    mode = load_mode("na64e_invisible")
    passed = mode.selection("simple").apply(view).passed
    return {name: int((passed & (label == i)).sum()) for i, name in enumerate(mode.classes)}


def _command(*arguments: str) -> None:
    logger.info("na64ml %s", " ".join(arguments))
    if main(arguments) != 0:
        raise Na64mlError(f"'na64ml {' '.join(arguments)}' failed")


def run() -> None:
    """Run the study and write metrics.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("runs/chain"), help="folder for training runs")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "metrics.json")
    parser.add_argument("fit_options", nargs="*", help="further options of 'na64ml fit', after --")
    arguments = parser.parse_args()
    reader = EventReader("na64e_reference")
    events = reader.read(FILE)
    view = EventView(events, reader.setup, reader.conditions)
    mode = load_mode("na64e_invisible")
    label = mode.label(events).astype(np.int64)
    energy = compute(["ecal_energy"], view)["ecal_energy"]
    inside = {name: mode.trigger_mask(view) & (energy < limit) for name, limit in BOXES.items()}
    network = out_of_fold(arguments.work, arguments.fit_options)
    order, found = (np.lexsort(ids.T[::-1]) for ids in (events.ids, network.ids))
    score = np.empty(len(events))
    score[order] = network.score[found]
    results = {
        "events": len(events),
        "simple_cut_flow": cut_flow(view, label),
        "network": study(score, label, inside),
        "boosted_trees": study(boosted_tree_scores(view, label), label, inside),
        "fit_options": arguments.fit_options,
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
    }
    arguments.out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    run()
