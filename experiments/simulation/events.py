"""Compare simulated events with the reference events, class by class: two-sample tests and a trained classifier.

    python experiments/simulation/events.py SIMULATED.root --reference shipped:na64e_reference.root --out FOLDER

The gain errors of the cells are drawn once for a file, so a classifier would read them and tell any two files apart.
Before the comparison every calorimeter of both files is therefore calibrated in the same way: one factor for each cell,
fitted so that the cells of an event add up to its noise-free energy (``mc_edep_*``). ``--raw`` leaves that out.

The second run of the reference sample, compared with the first in the same way, is the control: it differs from the
first in its random numbers and cell gains only.

With ``--by-shower`` the events of one leading shower of a library are all in the same fold, so that the classifier
cannot know single frozen showers again: it then finds wrong shapes only.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import lightgbm
import matplotlib.pyplot as plt
import numpy as np
import uproot
from numpy.typing import NDArray
from scipy.stats import ks_2samp
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict

from na64ml.events.batch import HIT_FEATURES, EventBatch, concatenate
from na64ml.events.reader import EventReader
from na64ml.events.root_files import expand
from na64ml.selection.absent import absent_inputs
from na64ml.selection.independent import leading_showers, trial_of_event
from na64ml.selection.variables import compute
from na64ml.selection.view import EventView

sys.path.insert(0, str(Path(__file__).parent.parent))
from chain.boosted_trees import VARIABLES

TESTED = ("ecal_energy", "prs_energy", "veto_energy", "vhcal_energy", "hcal_energy")
"""Variables of the two-sample tests, besides the multiplicities."""

TRUTH = {"ECAL": "mc_edep_ecal", "HCAL": "mc_edep_hcal", "VHCAL": "mc_edep_vhcal"}
"""Branch with the noise-free energy of each calorimeter."""

NOISE, SIGNIFICANT, GAIN_PRIOR = 0.03, 0.3, 0.05
"""Noise of a cell and energy of a cell well above it, in GeV; spread of the cell factors."""

N_BOOTSTRAP = 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--reference", nargs="+", default=["shipped:na64e_reference.root"])
    parser.add_argument("--layout", default="na64e_reference", help="layout of the simulated files")
    parser.add_argument("--reference-layout", default="na64e_reference")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--name", default="events")
    parser.add_argument("--without", help="leave out variables whose names contain this")
    parser.add_argument("--by-shower", action="store_true", help="keep events of one leading shower in one fold")
    parser.add_argument("--raw", action="store_true", help="do not calibrate the cells")
    arguments = parser.parse_args()
    ours = open_events(arguments.files, arguments.layout)
    theirs = open_events(arguments.reference, arguments.reference_layout)
    if not arguments.raw:
        ours, theirs = calibrated(ours, arguments.files), calibrated(theirs, arguments.reference)
    processes = theirs.batch.processes
    labels = like(ours.batch, processes), like(theirs.batch, processes)
    tables = tuple(
        {
            key: values
            for key, values in table(view).items()
            if not arguments.without or arguments.without not in key.lower()
        }
        for view in (ours, theirs)
    )
    leading = np.concatenate([leading_showers(one.batch) for one in (ours, theirs)])
    showers = trial_of_event(len(leading), leading) if arguments.by_shower else None
    result = {}
    for index, name in enumerate(processes):
        pair = tuple({key: values[label == index] for key, values in one.items()}
                     for one, label in zip(tables, labels, strict=True))  # fmt: skip
        counts = [len(one["ecal_energy"]) for one in pair]
        if min(counts) < 20:
            continue
        groups = None if showers is None else showers[np.concatenate(labels) == index]
        result[name] = {"events": counts, "p_values": p_values(*pair), **classifier(*pair, groups)}
        print(f"{name:24} {counts} AUC {result[name]['auc']:.3f} {result[name]['auc_interval']} ", flush=True)
        print("   ", {key: float(f"{value:.2g}") for key, value in result[name]["p_values"].items()})
    (arguments.out / f"{arguments.name}.json").write_text(json.dumps(result, indent=1) + "\n")
    if not arguments.without:
        draw(tables, labels, processes, arguments.out / f"{arguments.name}.png")


def open_events(files: list[str], layout: str) -> EventView:
    reader = EventReader(layout)
    batch = concatenate(list(reader.iterate(files)))
    return EventView(batch, reader.setup, reader.conditions, absent_inputs(reader.layout, reader.setup))


def like(batch: EventBatch, processes: tuple[str, ...]) -> NDArray[np.int64]:
    """Return the index of each event's process among ``processes``, -1 for others and for biased electroproduction."""
    index = np.array([processes.index(name) if name in processes else -1 for name in batch.processes])[batch.process]
    biased = (index == processes.index("electroproduction")) & (batch.weight != 1)
    return np.where(biased, -1, index)


def calibrated(view: EventView, files: list[str]) -> EventView:
    """Return the events with the energy of every calorimeter cell multiplied by its factor."""
    truth = uproot.concatenate([f"{path}:tree" for path in expand(files)], [*TRUTH.values(), "mc_pileup"], library="np")
    hits, energy = view.batch.hits.copy(), HIT_FEATURES.index("energy")
    for name, branch in TRUTH.items():
        cells = view.cells(name).reshape(len(view), -1)
        factor = cell_factors(cells[~truth["mc_pileup"]], truth[branch][~truth["mc_pileup"]])
        now = view.batch.detector == view.batch.detector_index(name)
        hits[now, energy] *= factor[view.batch.channel[now]].astype(np.float32)
    return EventView(replace(view.batch, hits=hits), view.setup, view.conditions, view.absent)


def cell_factors(cells: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the factor of each cell, ``[n_cells]``, from a fit of the sums ``cells @ factor`` to ``total`` in GeV.

    Cells below `SIGNIFICANT` count as they are: among them are those that noise has lifted above the threshold. Errors
    are the noise of the cells that are read out; factors are held to 1 within `GAIN_PRIOR`.
    """
    error = NOISE * np.sqrt((cells > 0).sum(axis=1) + 1.0)
    large = np.where(cells > SIGNIFICANT, cells, 0.0)
    rest = total - (cells - large).sum(axis=1)
    design = np.vstack([large / error[:, None], np.eye(cells.shape[1]) / GAIN_PRIOR])
    target = np.concatenate([rest / error, np.full(cells.shape[1], 1 / GAIN_PRIOR)])
    return np.linalg.lstsq(design, target, rcond=None)[0]


def table(view: EventView) -> dict[str, NDArray[np.float64]]:
    """Analysis variables and multiplicities by name, ``[n_events]``."""
    counts = {
        f"n {name}": view.hit_counts(name).reshape(len(view), -1).sum(axis=1).astype(float)
        for name in view.batch.detectors
    }
    return {**compute(VARIABLES, view), **{name: counts[name] for name in sorted(counts)}}


def p_values(ours: dict[str, NDArray[np.float64]], theirs: dict[str, NDArray[np.float64]]) -> dict[str, float]:
    """Return p-values of two-sample Kolmogorov-Smirnov tests."""
    names = [name for name in ours if name in TESTED or name.startswith("n ")]
    return {name: float(ks_2samp(ours[name], theirs[name]).pvalue) for name in names}


def classifier(
    ours: dict[str, NDArray[np.float64]], theirs: dict[str, NDArray[np.float64]], groups: NDArray[np.int64] | None
) -> dict[str, object]:
    """Return the cross-validated AUC of trees told to tell the samples apart, and what they use most.

    Events of the same group, ``[n_ours + n_theirs]``, are in the same fold.
    """
    features = np.vstack([np.column_stack(list(ours.values())), np.column_stack(list(theirs.values()))])
    label = np.repeat([1, 0], [len(ours["ecal_energy"]), len(theirs["ecal_energy"])])
    trees = lightgbm.LGBMClassifier(
        n_estimators=150, learning_rate=0.05, num_leaves=8, min_child_samples=20, colsample_bytree=0.5,
        subsample=0.8, subsample_freq=1, class_weight="balanced", n_jobs=1, random_state=0, verbose=-1,
    )  # fmt: skip
    folds = (StratifiedKFold if groups is None else StratifiedGroupKFold)(5, shuffle=True, random_state=0)
    score = cross_val_predict(trees, features, label, cv=folds, groups=groups, method="predict_proba")[:, 1]
    rng = np.random.default_rng(0)
    draws = [rng.integers(0, len(label), len(label)) for _ in range(N_BOOTSTRAP)]
    spread = np.std([roc_auc_score(label[draw], score[draw]) for draw in draws])
    auc = float(roc_auc_score(label, score))
    gain = trees.set_params(importance_type="gain").fit(features, label).feature_importances_
    best = np.argsort(gain)[::-1][:5]
    return {
        "auc": round(auc, 4),
        "auc_interval": [round(float(auc + side * spread), 3) for side in (-1.645, 1.645)],
        "most_used": {list(ours)[i]: round(float(gain[i] / gain.sum()), 3) for i in best},
    }


def draw(tables: tuple, labels: tuple, classes: tuple[str, ...], path: Path) -> None:
    """Draw the tested variables of every class, ours over theirs."""
    shown = [(index, name) for index, name in enumerate(classes) if all((label == index).any() for label in labels)]
    figure, axes = plt.subplots(len(shown), len(TESTED), figsize=(3 * len(TESTED), 2 * len(shown)), squeeze=False)
    for row, (index, name) in zip(axes, shown, strict=True):
        for axis, variable in zip(row, TESTED, strict=True):
            both = [one[variable][label == index] for one, label in zip(tables, labels, strict=True)]
            edges = np.linspace(0, np.quantile(np.concatenate(both), 0.995) or 1, 31)
            for values, style in zip(both, ({"color": "C0"}, {"color": "k", "linestyle": ":"}), strict=True):
                weights = np.full(len(values), 1 / len(values))
                axis.hist(values, edges, weights=weights, histtype="step", **style)
            axis.set_yscale("log")
            axis.set_xlabel(f"{variable} (GeV)", fontsize=7)
            axis.tick_params(labelsize=6, which="both")
        row[0].set_ylabel(name, fontsize=7)
    figure.suptitle("simulated (line) and reference (dots), share of events", fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
