"""A classifier that tries to tell digitised showers of the parametric engine from those of Geant4."""

from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray
from parametric_samples import Showers
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from na64ml.setups.digitisation import load_digitisation
from na64ml.simulation.digitisation.calorimeter import digitise_cells

LARGEST = 2000
"""Showers of each kind."""


def tell_apart(reference: Showers, ours: Showers) -> dict[str, Any]:
    """Return the AUC of trees on events of both, cross-validated in 5 parts, and the features they use most."""
    n = min(LARGEST, len(reference.energy))
    tables = [features(showers.select(slice(0, n)), seed) for seed, showers in enumerate((reference, ours))]
    names = list(tables[0])
    values = np.vstack([np.column_stack([table[name] for name in names]) for table in tables])
    label = np.repeat([0, 1], n)
    trees = lightgbm.LGBMClassifier(
        n_estimators=120, learning_rate=0.06, num_leaves=8, min_child_samples=20, colsample_bytree=0.5, subsample=0.8,
        subsample_freq=1, n_jobs=1, random_state=0, verbose=-1,
    )  # fmt: skip
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    score = cross_val_predict(trees, values, label, cv=folds, method="predict_proba")[:, 1]
    gain = trees.set_params(importance_type="gain").fit(values, label).feature_importances_
    best = np.argsort(gain)[::-1][:6]
    return {
        "showers": n,
        "auc": round(float(roc_auc_score(label, score)), 3),
        "most_used": {names[i]: round(float(gain[i] / gain.sum()), 3) for i in best},
    }


def features(showers: Showers, seed: int) -> dict[str, NDArray[Any]]:
    """Return analysis variables of digitised showers: the readout of the reference setup without gain errors."""
    rng = np.random.default_rng(seed)
    readout = load_digitisation("na64e_reference")
    n = len(showers.energy)
    ecal, hcal = (
        digitise_cells(
            visible.reshape(n, -1) / 1e3, segments, readout.calorimeters[name], np.ones(size), np.zeros(size, bool), rng
        ).astype(np.float64)
        for name, visible, segments, size in (("ECAL", showers.ecal, 2, 72), ("HCAL", showers.hcal, 3, 27))
    )
    counter = readout.counters["VETO"]
    veto = showers.veto * rng.normal(1.0, counter.resolution.value / np.sqrt(2), showers.veto.shape)
    veto[veto / 2 <= counter.threshold.value * 1e3] = 0.0
    ecal, hcal = ecal.reshape(n, 2, 6, 6), hcal.reshape(n, 3, 3, 3)
    table = {"energy": showers.energy, "x": showers.x, "y": showers.y, "veto": veto.sum(axis=1)}
    table["veto centre"] = veto[:, 1]
    for depth, name in enumerate(("preshower", "main")):
        cells = ecal[:, depth].reshape(n, 36)
        total = cells.sum(axis=1)
        safe = np.maximum(total, 1e-9)
        largest = -np.sort(-cells, axis=1)
        table |= {f"{name} over energy": total / showers.energy, f"{name} cells": (cells > 0).sum(axis=1).astype(float)}
        table |= {f"{name} cell {rank}": largest[:, rank] / safe for rank in (0, 1, 2, 3, 5, 8, 12, 18)}
        table[f"{name} smallest"] = np.where(cells > 0, cells, 1e3).min(axis=1)
        table[f"{name} radius"] = _radius(ecal[:, depth], showers)
        table[f"{name} rim"] = (total - ecal[:, depth, 1:5, 1:5].sum(axis=(1, 2))) / safe
    table["ecal over energy"] = ecal.sum(axis=(1, 2, 3)) / showers.energy
    for module in range(3):
        cells = hcal[:, module].reshape(n, 9)
        table[f"hcal{module} over energy"] = cells.sum(axis=1) / showers.energy
        table[f"hcal{module} cells"] = (cells > 0).sum(axis=1).astype(float)
        table[f"hcal{module} centre"] = cells[:, 4] / np.maximum(cells.sum(axis=1), 1e-9)
    table["sum over energy"] = table["ecal over energy"] + hcal.sum(axis=(1, 2, 3)) / showers.energy
    return table


def _radius(cells: NDArray[Any], showers: Showers) -> NDArray[Any]:
    """Return the root of the energy-weighted mean square distance from the impact point in mm."""
    centre = (np.arange(6) - 2.5) * 38.2
    squared = (centre[None, :, None] - showers.x[:, None, None]) ** 2
    squared = squared + (centre[None, None, :] - showers.y[:, None, None]) ** 2
    return np.asarray(np.sqrt((cells * squared).sum(axis=(1, 2)) / np.maximum(cells.sum(axis=(1, 2)), 1e-9)))
