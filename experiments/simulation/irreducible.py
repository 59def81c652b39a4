"""Share of upstream electroproduction that no detector can tell from a degraded electron, by truth.

    python experiments/simulation/irreducible.py SAMPLE.root

An event is irreducible if its secondaries leave no more than noise in every calorimeter and in the VETO, and no charged
one crosses a tracker plane. Events of the unbiased and of the biased entry of the recipe are counted apart, the latter
by their weights, so that the two are independent measurements of the same share. Generated events without transport
give the share whose secondaries fly past every detector.
"""

import argparse
import json
from pathlib import Path

import awkward as ak
import matplotlib.pyplot as plt
import numpy as np
import uproot
from numpy.typing import NDArray

from na64ml.selection.efficiency import Efficiency, efficiency
from na64ml.setups.conditions import load_conditions
from na64ml.setups.detectors import Calorimeter, Tracker
from na64ml.setups.digitisation import load_digitisation
from na64ml.setups.setup import load_setup
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.particles import charge
from na64ml.simulation.processes.acceptance import misses
from na64ml.simulation.processes.electroproduction import Electroproduction

SETUP = load_setup("na64e_reference")
READOUT = load_digitisation("na64e_reference")
RUN = 6505

SIGMAS = 3.0
"""Noise of a whole detector is this many standard deviations of the sum of its channels, on and off the axis."""

BOX = 50.0
"""Energy of the electron in GeV below which the event is in the signal box."""

GENERATED = 200_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sample")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    arguments = parser.parse_args()
    with uproot.open(arguments.sample) as file:
        label = str(file["labels"]).split(",").index("electroproduction")
        events = file["tree"].arrays()
    events = events[events.mc_label == label]
    silent = quiet(events)
    clear = silent & ~charged_hits(events)
    weight = ak.to_numpy(events.mc_weight).astype(float)
    in_box = ak.to_numpy(events.mc_edep_ecal) < BOX
    biased = weight != 1
    result = {"noise_limits_gev": {name: round(limit, 5) for name, limit in limits().items()}}
    for name, entry in (("unbiased", ~biased), ("biased", biased)):
        result[name] = {
            "events": int(entry.sum()),
            "calorimeters silent": row(silent & entry, weight * entry),
            "irreducible": row(clear & entry, weight * entry),
            "irreducible, in the box": row(clear & in_box & entry, weight * entry),
        }
    result["generated"] = {"events": GENERATED, "secondaries pass every detector": row(*generated())}
    print(json.dumps(result, indent=1))
    (arguments.out / "irreducible.json").write_text(json.dumps(result, indent=1) + "\n")
    draw(events, silent, clear, arguments.out / "irreducible.png")


def limits() -> dict[str, float]:
    """Return the largest energy in GeV of secondaries in each detector that counts as nothing."""
    rows = {
        detector.name: SIGMAS * READOUT.calorimeters[detector.name].noise.value * np.sqrt(detector.n_channels)
        for detector in SETUP.detectors
        if isinstance(detector, Calorimeter)
    }
    return rows | {"VETO": SIGMAS * READOUT.counters["VETO"].noise.value * np.sqrt(SETUP.detector("VETO").n_channels)}


def quiet(events: ak.Array) -> NDArray[np.bool_]:
    """Return the events whose secondaries leave no more than noise in each calorimeter and the VETO, ``[n_events]``."""
    silent = np.ones(len(events), dtype=bool)
    for name, limit in limits().items():
        branch = f"mc_edep_{name.lower()}"
        silent &= ak.to_numpy(events[branch] - events[f"{branch}_beam"]) < limit
    return silent


def charged_hits(events: ak.Array) -> NDArray[np.bool_]:
    """Return the events of which a charged secondary crosses a tracker plane, as a straight line, ``[n_events]``."""
    vertex_z = events.mc_vertex_z * 1e3
    vertex = [events.track_x + events.track_thx * vertex_z, events.track_y + events.track_thy * vertex_z]
    pdg = ak.flatten(events.mc_pdg[:, 1:])
    charged = ak.unflatten(charge(ak.to_numpy(pdg)) != 0, ak.num(events.mc_pdg) - 1)
    hit = np.zeros(len(events), dtype=bool)
    for plane in (plane for d in SETUP.detectors if isinstance(d, Tracker) for plane in d.planes):
        distance = plane.z.value - vertex_z
        inside = charged & (events.mc_pz[:, 1:] > 0) & (distance > 0)
        for start, momentum, half in zip(vertex, "xy", (plane.half_x.value, plane.half_y.value), strict=True):
            place = start + distance * events[f"mc_p{momentum}"][:, 1:] / events.mc_pz[:, 1:]
            inside = inside & (np.abs(place) < half)
        hit |= ak.to_numpy(ak.any(inside, axis=1))
    return hit


def generated() -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return which generated events have secondaries that fly past every calorimeter, and their weights."""
    beamline = Beamline(SETUP, load_conditions("na64e_reference").for_run(RUN))
    events = Electroproduction(transfer={"low": 0.3, "high": 0.97}).generate(
        GENERATED, beamline, np.random.default_rng(64)
    )
    passed = np.ones(GENERATED, dtype=bool)
    for name in ("VHCAL", "ECAL", "HCAL"):
        passed &= misses(SETUP, events.particles, GENERATED, name)
    return passed, events.weight


def row(passed: NDArray[np.bool_], weight: NDArray[np.float64]) -> dict[str, float]:
    found: Efficiency = efficiency(passed, weight)
    return {
        "share": float(f"{found.value:.4g}"),
        "interval": [float(f"{x:.3g}") for x in (found.lo, found.hi)],
        "events": found.survivors,
    }


def draw(events: ak.Array, silent: NDArray[np.bool_], clear: NDArray[np.bool_], path: Path) -> None:
    """Draw the energy in the ECAL and the vertex of all events and of those that nothing gives away."""
    weight = ak.to_numpy(events.mc_weight).astype(float)
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4))
    for which, label in ((silent | True, "all"), (silent, "calorimeters silent"), (clear, "irreducible")):
        axes[0].hist(
            ak.to_numpy(events.mc_edep_ecal)[which], np.linspace(0, 100, 26), weights=weight[which], histtype="step",
            label=label,
        )  # fmt: skip
        axes[1].hist(
            ak.to_numpy(events.mc_vertex_z)[which], np.linspace(-16, -2, 15), weights=weight[which], histtype="step"
        )
    axes[0].set(xlabel="energy in the ECAL (GeV)", ylabel="weighted events", yscale="log")
    axes[1].set(xlabel="vertex z (m)", ylabel="weighted events", yscale="log")
    axes[0].legend(frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
