"""Survivors of networks in a large sample of background; limits count distinct leading showers.

    na64ml simulate experiments/bakeoff/background.yaml --out background.root
    python experiments/bakeoff/background.py background.root fast.onnx default.onnx

Only events inside the trigger and the 80 GeV box are scored. Survivors are above the working
point of the file; without a score an event survives.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from na64ml.events.layout import layout_beside
from na64ml.events.reader import EventReader
from na64ml.inference import Scorer
from na64ml.selection.efficiency import efficiency
from na64ml.selection.independent import leading_showers, trial_of_event
from na64ml.selection.mode import load_mode
from na64ml.selection.variables import compute
from na64ml.selection.view import EventView

BOXES = (50.0, 80.0)
STEP = 20_000
CONFIDENCE = 0.9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sample", type=Path, help="background events, their layout beside them")
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--working-point", default="signal_90")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "background.json")
    arguments = parser.parse_args()
    scorers = {model.stem: Scorer(model) for model in arguments.models}
    columns, seconds = scored(arguments.sample, scorers)
    results: dict[str, object] = {"working_point": arguments.working_point, "events": len(columns["label"])}
    for name, scorer in scorers.items():
        threshold = scorer.metadata.thresholds[arguments.working_point]
        results[name] = {
            "weights_hash": scorer.metadata.weights_hash,
            "scored": int(np.isfinite(columns[name]).sum()),
            "cpu_seconds": round(seconds[name], 1),
            **survivors(columns, ~(columns[name] < threshold)),
        }
    arguments.out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


def scored(sample: Path, scorers: dict[str, Scorer]) -> tuple[dict[str, NDArray[np.float64]], dict[str, float]]:
    """Return columns of all events, and the processor time of each network in seconds.

    The columns are label, weight, leading shower, energy in the ECAL (infinite if not triggered) and a score for each
    network (NaN outside the larger box).
    """
    reader = EventReader(str(layout_beside(sample)))
    mode = load_mode("na64e_invisible")
    parts: dict[str, list[NDArray[np.float64]]] = {}
    seconds = dict.fromkeys(scorers, 0.0)
    steps = reader.iterate(sample, step=STEP)
    for events in track(steps, "scoring", total=-(-reader.count(sample) // STEP)):
        view = EventView(events, reader.setup, reader.conditions)
        energy = np.where(mode.trigger_mask(view), compute(["ecal_energy"], view)["ecal_energy"], np.inf)
        inside = np.flatnonzero(energy < BOXES[-1])
        row = {
            "label": mode.label(events).astype(np.float64),
            "weight": events.weight,
            "shower": leading_showers(events).astype(np.float64),
            "energy": energy,
        }
        for name, scorer in scorers.items():
            start, score = time.process_time(), np.full(len(events), np.nan)
            score[inside] = scorer.score(events.select(inside)).score
            seconds[name] += time.process_time() - start
            row[name] = score
        for name, values in row.items():
            parts.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in parts.items()}, seconds


def survivors(columns: dict[str, NDArray[np.float64]], kept: NDArray[np.bool_]) -> dict[str, object]:
    """Count survivors and distinct leading showers by class and box, with the interval of the share that survives."""
    classes, results = load_mode("na64e_invisible").classes, {}
    for label in np.unique(columns["label"]).astype(int):
        mine = columns["label"] == label
        shower = columns["shower"][mine].astype(np.int64)
        distinct = int(trial_of_event(len(shower), shower).max()) + 1
        row: dict[str, object] = {
            "events": int(mine.sum()),
            "distinct_showers": distinct,
            "limit_without_survivors": float(f"{-np.log(1 - CONFIDENCE) / distinct:.3g}"),
        }
        for box in BOXES:
            passed = (kept & (columns["energy"] < box))[mine]
            found = efficiency(passed, columns["weight"][mine], shower, CONFIDENCE)
            row[f"box_{box:g}"] = {
                "survivors": int(passed.sum()),
                "showers": len(np.unique(shower[passed])),
                "share": [float(f"{value:.3g}") for value in (found.value, found.lo, found.hi)],
            }
        results[classes[label]] = row
    return results


if __name__ == "__main__":
    main()
