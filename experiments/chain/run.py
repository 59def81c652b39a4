"""Out-of-fold study of the whole chain on the reference events; see README.md for the question and the answer."""

import argparse
import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from boosted_trees import boosted_tree_scores, out_of_fold_scores, variables
from numpy.typing import NDArray

from na64ml.cli import main
from na64ml.errors import Na64mlError
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.survivors import efficiency_at_survivors_interval
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.inference.scorer import Scorer
from na64ml.resources import shipped
from na64ml.selection.mode import Mode, load_mode
from na64ml.selection.variables import compute
from na64ml.selection.view import EventView
from na64ml.yaml_files import content_hash

CONFIG = "na64e_invisible/train.yaml"
DATASET, N_FOLDS = "na64e_reference", 5
TESTED, OTHER = "shipped:na64e_reference.root", "shipped:na64e_reference_b.root"
"""Run 6500 trains and is tested out of fold; run 6511 is tested only."""

EPOCHS = {"lowest validation loss": "best", "last epoch": "last"}
"""Which network of a training is tested."""

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
    tested, other = Sample.read(TESTED), Sample.read(OTHER)
    networks = [_fit(arguments.work, fold) for fold in range(N_FOLDS)]
    trees = out_of_fold_scores(tested.view, tested.label, DATASET, N_FOLDS)
    trees_other = boosted_tree_scores(variables(tested.view), tested.label, variables(other.view))
    results: dict[str, object] = {
        "interval": f"{LEVEL:.0%} bootstrap over events",
        "simple_cut_flow": {"run 6500": tested.cut_flow(), "run 6511": other.cut_flow()},
        "boosted trees, run 6500 out of fold": study(trees, tested),
        "boosted trees of run 6500, run 6511": study(trees_other, other),
    }
    for name, epoch in EPOCHS.items():
        scored = ScoredEvents.join([_scored(folder, epoch, TESTED, "test") for folder in networks])
        results[f"network ({name}), run 6500 out of fold"] = study(in_order(scored, tested), tested)
        scored = _scored(networks[0], epoch, OTHER, "all")
        results[f"network ({name}) of fold 0, run 6511"] = study(in_order(scored, other), other)
    arguments.out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


@dataclass(frozen=True)
class Sample:
    """Labelled events and which of them are inside the trigger and the energy box."""

    view: EventView
    label: NDArray[np.int64]
    inside: dict[str, NDArray[np.bool_]]
    mode: Mode

    @classmethod
    def read(cls, file: str, layout: str = "na64e_reference") -> "Sample":
        """Read the events of a file."""
        reader = EventReader(layout)
        return cls.of(reader.read(file), reader)

    @classmethod
    def of(cls, events: EventBatch, reader: EventReader) -> "Sample":
        """Label events of a reader."""
        mode = load_mode("na64e_invisible")
        view = EventView(events, reader.setup, reader.conditions)
        energy = compute(["ecal_energy"], view)["ecal_energy"]
        inside = {name: mode.trigger_mask(view) & (energy < limit) for name, limit in BOXES.items()}
        return cls(view, mode.label(events).astype(np.int64), inside, mode)

    @property
    def signal(self) -> NDArray[np.bool_]:
        """Which events are signal, ``[n_events]``."""
        return self.label == 0

    @property
    def decay(self) -> NDArray[np.bool_]:
        """Which events are decays in flight, ``[n_events]``."""
        return self.label == self.mode.class_index("decay_in_flight")

    @property
    def reducible(self) -> NDArray[np.bool_]:
        """Which events are reducible background, ``[n_events]``."""
        return np.isin(self.label, [self.mode.class_index(name) for name in self.mode.reducible])

    def decision_score(self, score: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return scores as `ScoredEvents.decision_score`: without one, signal is lost and background survives."""
        return np.where(np.isnan(score), np.where(self.signal, -np.inf, np.inf), score)

    def scores(self, scorer: Scorer) -> NDArray[np.float64]:
        """Return what decides about each event, ``[n_events]``."""
        return self.decision_score(scorer.score(self.view.batch, self.view).score.astype(np.float64))

    def threshold(self, score: NDArray[np.float64], box: str, target: float) -> float:
        """Return the threshold that keeps a share of all signal inside a box."""
        kept = np.sort(score[self.signal & self.inside[box]])[::-1]
        return float(kept[round(target * self.signal.sum()) - 1])

    def cut_flow(self) -> dict[str, int]:
        """Count the survivors of the simple cut flow by class."""
        passed = self.mode.selection("simple").apply(self.view).passed
        return {name: int((passed & (self.label == i)).sum()) for i, name in enumerate(self.mode.classes)}


def _fit(work: Path, fold: int) -> Path:
    """Return the folder of the network of one fold; it is trained if it is not there, so the study can be resumed."""
    key = content_hash([TESTED, (shipped("configs") / CONFIG).read_text()])
    folder = work / key / f"fold_{fold}"
    if not (folder / "trained").is_file():
        data = ["--data.files", json.dumps([TESTED]), "--data.n_folds", str(N_FOLDS), "--data.fold", str(fold)]
        command("fit", "--config", CONFIG, *data, "--root", str(folder / "runs"))
        (folder / "trained").touch()
    return folder


def _scored(folder: Path, epoch: str, file: str, events: str) -> ScoredEvents:
    """Return the events of a file scored by the network of a folder."""
    out = folder / epoch / Path(file.partition(":")[2]).stem
    if not (out / "scored.npz").is_file():
        checkpoints = folder.glob(f"runs/*/*/checkpoints/{epoch}.ckpt")
        checkpoint = max(checkpoints, key=lambda path: path.stat().st_mtime)
        model = ["--model", str(checkpoint), "--root", str(folder / "runs")]
        command("evaluate", file, *model, "--events", events, "--out", str(out))
    return ScoredEvents.read(out / "scored.npz")


def in_order(scored: ScoredEvents, sample: Sample) -> NDArray[np.float64]:
    """Return what decides about each event, in the order of the sample."""
    return scored.decision_score[matching(sample.view.batch.ids, scored.ids)]


def matching(wanted: NDArray[np.int64], found: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where the events with the identifiers ``wanted`` are among those ``found``; both hold the same."""
    index = np.empty(len(wanted), dtype=np.int64)
    index[np.lexsort(wanted.T[::-1])] = np.lexsort(found.T[::-1])
    return index


def study(score: NDArray[np.float64], sample: Sample) -> dict[str, object]:
    """Measure signal efficiency and surviving decays at given numbers of reducible survivors, and the reverse."""
    signal, decay, reducible = sample.signal, sample.decay, sample.reducible
    results: dict[str, object] = {}
    for box, passed in sample.inside.items():
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
                kept = passed & (score >= sample.threshold(score, box, target))
                counts = {"reducible": int((kept & reducible).sum()), "decays": int((kept & decay).sum())}
                results[f"box_{box}/signal_{target}"] = counts
    return results


def command(*arguments: str) -> None:
    logger.info("na64ml %s", " ".join(arguments))
    if main(arguments) != 0:
        raise Na64mlError(f"'na64ml {' '.join(arguments)}' failed")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    run()
