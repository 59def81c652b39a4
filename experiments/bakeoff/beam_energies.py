"""One network for runs at several beam energies: together, each alone, blind to the momentum, and between the energies.

    python experiments/bakeoff/beam_energies.py

Started in the top folder, it makes the samples of beam_energies.yaml, trains and tests; samples and trainings
that are finished are not repeated. Limits on the energy in the ECAL are shares of the beam energy.
"""

import argparse
import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "chain"))
from bakeoff.ladder import FAMILIES
from bakeoff.training import Training
from chain.run import BOXES, Sample, command, study

from na64ml.cli.models import open_model
from na64ml.events.batch import TRACK_FEATURES
from na64ml.events.layout import layout_beside
from na64ml.events.reader import EventReader
from na64ml.selection.variables import compute

FOLDER = Path(__file__).parent
RECIPE, RECIPE_ENERGY = FOLDER / "beam_energies.yaml", 100
ENERGIES, BETWEEN = (50, 100, 150), (80, 120)
"""Beam energies in GeV that are trained on, and those between them."""

SEEDS = {"train": 20261201, "test": 20262201}
EVENTS = {"train": 25_000, "test": 20_000}
OPTIONS = {
    "model.network": f"na64ml.models.{FAMILIES['EdgeConv, factorised']}",
    "model.learning_rate": 0.003,
    "trainer.max_epochs": 10,
}
COMMON = 0.78
"""Signal efficiency, of all energies together, of the common threshold in the box of 50 %."""

PAIRED = "80", 0.85
"""Box and signal efficiency at which networks are compared event by event: many events are left there."""


@dataclass(frozen=True)
class Case:
    """The beam energies in GeV that a network learns from and is tested at, and whether it sees the momentum."""

    trained: tuple[int, ...]
    tested: tuple[int, ...]
    momentum: bool = True


EVERYWHERE = tuple(sorted(ENERGIES + BETWEEN))
CASES = {
    "all three": Case(ENERGIES, EVERYWHERE),
    "all three, momentum hidden": Case(ENERGIES, EVERYWHERE, momentum=False),
    "50 GeV": Case((50,), (50,)),
    "100 GeV": Case((100,), EVERYWHERE),
    "150 GeV": Case((150,), (150,)),
    "100 GeV, momentum hidden": Case((100,), EVERYWHERE, momentum=False),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("runs/bakeoff/beam_energies"), help="folder of all files")
    parser.add_argument("--out", type=Path, default=FOLDER / "beam_energies.json")
    arguments = parser.parse_args()
    work: Path = arguments.work
    files = {energy: sample(work, energy, "test") for energy in EVERYWHERE}
    tested = {energy: in_boxes(file) for energy, file in files.items()}
    results: dict[str, dict[str, object]] = {}
    scores: dict[str, dict[int, NDArray[np.float64]]] = {}
    for name, case in CASES.items():
        training = trained(work, name, case)
        scores[name] = {energy: scored(training, tested[energy], energy, case.momentum) for energy in case.tested}
        results[name] = {
            "seconds": json.loads((training.folder / "finished.json").read_text()),
            "validation_loss": training.curve(),
            **{f"{energy} GeV": study(score, tested[energy]) for energy, score in scores[name].items()},
        }
        if case.trained == ENERGIES:
            at_trained = {energy: scores[name][energy] for energy in ENERGIES}
            results[name]["common threshold"] = common_threshold(at_trained, tested)
    together = scores["all three"]
    results["event by event, all three and the other"] = {
        f"{name}, at {energy} GeV": event_by_event(together[energy], score, tested[energy])
        for name, by_energy in scores.items()
        if name != "all three"
        for energy, score in by_energy.items()
    }
    arguments.out.write_text(json.dumps(results, indent=1) + "\n")


def sample(work: Path, energy: int, part: str) -> Path:
    """Return the file of one beam energy; it is made if it is not there."""
    path = work / f"{part}_{energy}.root"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        content = scaled(yaml.safe_load(RECIPE.read_text()), energy / RECIPE_ENERGY)
        content |= {"run": 100 * energy + list(SEEDS).index(part), "seed": SEEDS[part] + energy}
        recipe = path.with_suffix(".yaml")
        recipe.write_text(yaml.safe_dump(content, sort_keys=False))
        command("simulate", str(recipe), "--events", str(EVENTS[part]), "--out", str(path), "--workers", "1")
    return path


def scaled(recipe: dict[str, Any], factor: float) -> dict[str, Any]:
    """Return the recipe with the energies in GeV of dimuons and wrong momenta multiplied."""
    for process in recipe["processes"]:
        values = process.get("init_args", {})
        if process["class_path"].endswith(".Dimuon"):
            values |= {name: factor * values[name] for name in ("low", "high")}
        elif process["class_path"].endswith(".MomentumMisreconstruction"):
            values["momentum"] = [factor * momentum for momentum in values["momentum"]]
    return recipe


def trained(work: Path, name: str, case: Case) -> Training:
    """Return the training of a case; it is run if it is not there."""
    files = [sample(work, energy, "train") for energy in case.trained]
    if not case.momentum:
        # Training takes the layout from beside the first file; only the layout differs.
        hidden = work / "momentum_hidden"
        hidden.mkdir(exist_ok=True)
        layout = yaml.safe_load(layout_beside(files[0]).read_text())
        del layout["track"]["p"]
        link = hidden / files[0].name
        if not link.is_symlink():
            link.symlink_to(files[0].resolve())
        layout_beside(link).write_text(yaml.safe_dump(layout, sort_keys=False))
        files[0] = link
    training = Training(
        work / "networks" / name.replace(", ", "_").replace(" ", "_"), files, OPTIONS, cache=work / "cache"
    )
    training.run()
    return training


def in_boxes(file: Path) -> Sample:
    """Return test events; a box holds those with less than its share, in per cent, of the beam energy in the ECAL."""
    reader = EventReader(str(layout_beside(file)))
    whole = Sample.of(reader.read(file), reader)
    share = compute(["ecal_beam_fraction"], whole.view)["ecal_beam_fraction"]
    triggered = whole.mode.trigger_mask(whole.view)
    inside = {name: triggered & (share < percent / 100) for name, percent in BOXES.items()}
    return Sample(whole.view, whole.label, inside, whole.mode)


def scored(training: Training, test: Sample, energy: int, momentum: bool) -> NDArray[np.float64]:
    """Return what decides about test events; those outside the larger box are not scored."""
    kept = training.folder / f"scores_{energy}.npy"
    if not kept.is_file():
        inside = np.flatnonzero(test.inside["80"])
        events = test.view.batch.select(inside)
        if not momentum:
            events.track[:, TRACK_FEATURES.index("p")] = np.nan
        score = np.full(len(test.label), np.nan)
        score[inside] = open_model(training.checkpoint).score(events).score
        np.save(kept, test.decision_score(score))
    found: NDArray[np.float64] = np.load(kept)
    return found


def common_threshold(scores: Mapping[int, NDArray[np.float64]], tested: Mapping[int, Sample]) -> dict[str, object]:
    """Count what one threshold for all energies keeps inside the box of 50 %."""
    box = "50"
    parts = [score[tested[energy].signal & tested[energy].inside[box]] for energy, score in scores.items()]
    total = sum(int(tested[energy].signal.sum()) for energy in scores)
    threshold = np.sort(np.concatenate(parts))[::-1][round(COMMON * total) - 1]
    counts: dict[str, object] = {"signal_efficiency": COMMON}
    for energy, score in scores.items():
        test = tested[energy]
        kept = test.inside[box] & (score >= threshold)
        counts[f"{energy} GeV"] = {
            "signal_efficiency": round(float((kept & test.signal).sum() / test.signal.sum()), 4),
            "reducible": int((kept & test.reducible).sum()),
            "decays": int((kept & test.decay).sum()),
        }
    return counts


def event_by_event(first: NDArray[np.float64], second: NDArray[np.float64], test: Sample) -> dict[str, int]:
    """Count reducible events and decays that survive both networks, or only one, at equal signal efficiency."""
    box, target = PAIRED
    background = test.inside[box] & (test.reducible | test.decay)
    one, other = (background & (score >= test.threshold(score, box, target)) for score in (first, second))
    return {
        "both": int((one & other).sum()),
        "only_all_three": int((one & ~other).sum()),
        "only_other": int((other & ~one).sum()),
    }


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    main()
