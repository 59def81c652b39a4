"""Out-of-fold study of the whole chain on the reference events; see README.md for the question and the answer."""

import argparse
import json
import logging
from pathlib import Path

import numpy as np
from boosted_trees import boosted_tree_scores
from numpy.typing import NDArray

from na64ml.cli import main
from na64ml.errors import Na64mlError
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.survivors import efficiency_at_survivors_interval
from na64ml.events.reader import EventReader
from na64ml.resources import shipped
from na64ml.selection.mode import Mode, load_mode
from na64ml.selection.variables import compute
from na64ml.selection.view import EventView
from na64ml.yaml_files import content_hash

CONFIG = "na64e_invisible/train.yaml"
DATASET, N_FOLDS = "na64e_reference", 5
TESTED, OTHER = "shipped:na64e_reference.root", "shipped:na64e_reference_b.root"
VARIANTS = {"run 6500": [TESTED], "run 6500 and run 6511": [TESTED, OTHER]}
"""Training files. Only events of run 6500 are tested, each by networks that have not seen its fold."""

BOXES = {"50": 50.0, "80": 80.0}
SURVIVORS = (0, 1, 5)
SIGNAL_EFFICIENCIES = (0.78, 0.80, 0.82, 0.85, 0.88)
LEVEL = 0.68
"""Confidence level of the bootstrap intervals."""

logger = logging.getLogger("na64ml.experiments.chain")


def run() -> None:
    """Run the study and write metrics.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("runs/chain"), help="folder for training runs")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "metrics.json")
    arguments = parser.parse_args()
    reader, mode = EventReader("na64e_reference"), load_mode("na64e_invisible")
    events = reader.read(TESTED)
    view = EventView(events, reader.setup, reader.conditions)
    label = mode.label(events).astype(np.int64)
    energy = compute(["ecal_energy"], view)["ecal_energy"]
    inside = {name: mode.trigger_mask(view) & (energy < limit) for name, limit in BOXES.items()}
    results: dict[str, object] = {
        "events": len(events),
        "interval": f"{LEVEL:.0%} bootstrap over events",
        "simple_cut_flow": cut_flow(view, label, mode),
    }
    for name, files in VARIANTS.items():
        network = network_scores(out_of_fold(arguments.work, files), events.ids)
        everything = reader.read(files)
        trees = boosted_tree_scores(
            EventView(everything, reader.setup, reader.conditions),
            mode.label(everything).astype(np.int64),
            DATASET,
            N_FOLDS,
            tested=np.arange(len(everything)) < len(events),
        )
        results[f"network, trained on {name}"] = study(network, label, inside, mode)
        results[f"boosted trees, trained on {name}"] = study(trees, label, inside, mode)
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


def out_of_fold(work: Path, files: list[str]) -> ScoredEvents:
    """Train one network per fold and score the events it has not seen; finished folds are not repeated."""
    key = content_hash([files, (shipped("configs") / CONFIG).read_text()])
    parts = []
    for fold in range(N_FOLDS):
        folder = work / key / f"fold_{fold}"
        root, evaluation = folder / "runs", folder / "evaluation"
        if not (evaluation / "scored.npz").is_file():
            data = ["--data.files", json.dumps(files), "--data.n_folds", str(N_FOLDS), "--data.fold", str(fold)]
            _command("fit", "--config", CONFIG, *data, "--root", str(root))
            checkpoint = max(root.glob("*/*/checkpoints/best.ckpt"), key=lambda path: path.stat().st_mtime)
            _command("evaluate", TESTED, "--model", str(checkpoint), "--out", str(evaluation), "--root", str(root))
        parts.append(ScoredEvents.read(evaluation / "scored.npz"))
    return ScoredEvents.join(parts)


def network_scores(scored: ScoredEvents, ids: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the scores in the order of ``ids``."""
    order, found = (np.lexsort(numbers.T[::-1]) for numbers in (ids, scored.ids))
    score = np.empty(len(ids))
    score[order] = scored.score[found]
    return score


def study(
    score: NDArray[np.float64], label: NDArray[np.int64], inside: dict[str, NDArray[np.bool_]], mode: Mode
) -> dict[str, object]:
    """Measure signal efficiency and surviving decays at given numbers of reducible survivors, and the reverse."""
    signal, decay = label == 0, label == mode.class_index("decay_in_flight")
    reducible = np.isin(label, [mode.class_index(name) for name in mode.reducible])
    results: dict[str, object] = {}
    for box, passed in inside.items():
        results[f"box_{box}/cap"] = round(float((signal & passed).sum() / signal.sum()), 4)
        for survivors in SURVIVORS:
            point = efficiency_at_survivors_interval(
                score[signal], passed[signal], score[reducible], passed[reducible], survivors, cl=LEVEL
            )
            results[f"box_{box}/survivors_{survivors}"] = {
                "signal_efficiency": round(point.efficiency, 4),
                "lo": round(point.lo, 4),
                "hi": round(point.hi, 4),
                "decays": int((decay & passed & (score >= point.threshold)).sum()),
            }
        for target in SIGNAL_EFFICIENCIES:
            if target * signal.sum() <= (signal & passed).sum():
                threshold = np.sort(score[signal & passed])[::-1][round(target * signal.sum()) - 1]
                kept = passed & (score >= threshold)
                counts = {"reducible": int((kept & reducible).sum()), "decays": int((kept & decay).sum())}
                results[f"box_{box}/signal_{target}"] = counts
    return results


def cut_flow(view: EventView, label: NDArray[np.int64], mode: Mode) -> dict[str, int]:
    """Count the survivors of the simple cut flow by class."""
    passed = mode.selection("simple").apply(view).passed
    return {name: int((passed & (label == i)).sum()) for i, name in enumerate(mode.classes)}


def _command(*arguments: str) -> None:
    logger.info("na64ml %s", " ".join(arguments))
    if main(arguments) != 0:
        raise Na64mlError(f"'na64ml {' '.join(arguments)}' failed")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    run()
