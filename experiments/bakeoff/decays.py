"""What gives decays in flight away, by truth: those that survive a network, and those that do not.

    python experiments/bakeoff/decays.py model.onnx

Decays of both reference runs that fake the response of the SRD, inside the trigger and the 50 GeV box. Each is put into
the first kind that holds. The threshold keeps 78 % of the signal of run 6500 in the box.
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
from chain.run import OTHER, TESTED, Sample, matching

from na64ml.events.root_files import expand
from na64ml.inference import Scorer
from na64ml.setups.detectors import Tracker

BOX, SIGNAL = "50", 0.78
KINK = 2.0
"""Distance in mm from the track line that counts as seen in a tracker: three times the resolution of the line."""

DISPLACED = (10.0, 4.0, 2.0)
"""Displacements in mm at the front face of the ECAL."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "decays.json")
    arguments = parser.parse_args()
    scorer = Scorer(arguments.model)
    samples = {file: Sample.read(file) for file in (TESTED, OTHER)}
    scores = {file: sample.scores(scorer) for file, sample in samples.items()}
    threshold = samples[TESTED].threshold(scores[TESTED], BOX, SIGNAL)
    rows: dict[str, list[int]] = {}
    for file, sample in samples.items():
        events = truth(file, sample)
        chosen = sample.inside[BOX] & sample.decay & (ak.to_numpy(events.mc_srd_forced) > 0)
        for kind, survives in zip(kinds(events[chosen], sample), scores[file][chosen] >= threshold, strict=True):
            row = rows.setdefault(kind, [0, 0])
            row[0] += 1
            row[1] += int(survives)
    counted = {kind: {"decays": n, "survivors": left} for kind, (n, left) in sorted(rows.items())}
    results = {"weights_hash": scorer.metadata.weights_hash, "threshold": round(threshold, 4), "kinds": counted}
    arguments.out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


def truth(file: str, sample: Sample) -> ak.Array:
    """Return the truth of a file in the order of the sample."""
    with uproot.open(expand(file)[0]) as opened:
        events = opened["tree"].arrays()
    ids = np.stack([ak.to_numpy(events[name]) for name in ("run", "spill", "spillevent")], axis=1)
    return events[matching(sample.view.batch.ids, ids)]


def kinds(events: ak.Array, sample: Sample) -> list[str]:
    """Return what gives each decay away most."""
    trackers = [detector for detector in sample.view.setup.detectors if isinstance(detector, Tracker)]
    last_plane = max(plane.z.value for tracker in trackers for plane in tracker.planes)
    vertex = ak.to_numpy(events.mc_vertex_z) * 1e3
    kink = np.hypot(
        ak.to_numpy(events.mc_px[:, 0] / events.mc_pz[:, 0] - events.track_thx),
        ak.to_numpy(events.mc_py[:, 0] / events.mc_pz[:, 0] - events.track_thy),
    )
    photons = ak.to_numpy(ak.any(events.mc_pdg[:, 1:] == 22, axis=1))
    in_plane = kink * (last_plane - vertex)
    at_ecal = -kink * vertex
    found = []
    for photon, tracked, displaced in zip(photons, in_plane, at_ecal, strict=True):
        if photon:
            found.append("a: photons besides the electron")
        elif tracked > KINK:
            found.append(f"b: over {KINK:g} mm off the line in the last tracker plane")
        else:
            limit = next((limit for limit in DISPLACED if displaced > limit), None)
            found.append("d: nothing of this" if limit is None else f"c: over {limit:g} mm off the line at the ECAL")
    return found


if __name__ == "__main__":
    main()
