"""How many decays would be left if the place of the shower were measured as well as anyone could wish.

    na64ml simulate experiments/bakeoff/late_decays.yaml --out late_decays.root
    python experiments/bakeoff/decay_limit.py late_decays.root

Boosted trees tell decays in flight from signal by the analysis variables and, beside them, the distance in the front
face of the ECAL between the track line and the electron by truth, smeared with the resolution of the track and with
that of an imagined calorimeter. Tested on the reference events in the 50 GeV box. Without that distance they see what
the networks see.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

import awkward as ak
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "chain"))
from bakeoff.decays import BOX, SIGNAL, truth
from chain.boosted_trees import boosted_tree_scores, variables
from chain.run import OTHER, TESTED, Sample

from na64ml.events.layout import layout_beside

TRACK = 0.7
"""Resolution in mm of the track line in the front face of the ECAL, in x and in y: a third of what counts as a kink."""

CALORIMETER = (0.0, 1.0, 2.0, 4.0, 8.0)
"""Resolutions in mm of the imagined calorimeter."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sample", help="signal and decays of late_decays.yaml, the layout beside them")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "decay_limit.json")
    arguments = parser.parse_args()
    sample = Sample.read(arguments.sample, str(layout_beside(Path(arguments.sample))))
    train, tested = (
        Part.of(arguments.sample, sample),
        {file: Part.of(file, Sample.read(file)) for file in (TESTED, OTHER)},
    )
    results = {}
    for resolution in (None, *CALORIMETER):
        scores = [train.scores(part, resolution) for part in tested.values()]
        survivors = {file: part.survivors(score) for (file, part), score in zip(tested.items(), scores, strict=True)}
        results["as measured" if resolution is None else f"{resolution:g} mm"] = survivors
        print(resolution, survivors)
    arguments.out.write_text(json.dumps(results, indent=1) + "\n")


@dataclass(frozen=True)
class Part:
    """Signal and decays inside the trigger and the box: analysis variables and the displacement by truth in mm."""

    table: NDArray[np.float64]
    displacement: NDArray[np.float64]
    signal: NDArray[np.bool_]
    n_signal: int

    @classmethod
    def of(cls, file: str, sample: Sample) -> "Part":
        """Choose the events of a sample, which was read from ``file``."""
        chosen = sample.inside[BOX] & (sample.signal | sample.decay)
        events = truth(file, sample)[chosen]
        slope = np.stack([ak.to_numpy(events[f"mc_p{axis}"][:, 0] / events.mc_pz[:, 0]) for axis in "xy"], axis=1)
        kink = slope - np.stack([ak.to_numpy(events[f"track_th{axis}"]) for axis in "xy"], axis=1)
        displacement = -1e3 * ak.to_numpy(events.mc_vertex_z)[:, None] * kink
        signal = sample.signal[chosen]
        displacement[signal] = 0
        return cls(variables(sample.view)[chosen], displacement, signal, int(sample.signal.sum()))

    def scores(self, tested: "Part", resolution: float | None) -> NDArray[np.float64]:
        """Train on this part and return the scores of another one."""
        random = np.random.default_rng(1)
        tables = [part.seen(resolution, random) for part in (self, tested)]
        return boosted_tree_scores(tables[0], (~self.signal).astype(np.int64), tables[1])

    def seen(self, resolution: float | None, random: np.random.Generator) -> NDArray[np.float64]:
        """Return what a detector sees of the events, ``[n_events, n_columns]``."""
        if resolution is None:
            return self.table
        smeared = self.displacement + random.normal(0, np.hypot(TRACK, resolution), self.displacement.shape)
        return np.column_stack([self.table, np.hypot(*smeared.T)])

    def survivors(self, score: NDArray[np.float64]) -> int:
        """Return how many decays are left where `SIGNAL` of all signal is kept."""
        threshold = np.sort(score[self.signal])[::-1][round(SIGNAL * self.n_signal) - 1]
        return int((~self.signal & (score >= threshold)).sum())


if __name__ == "__main__":
    main()
