"""Boosted trees on the analysis variables, out of fold, for comparison with the network."""

import lightgbm
import numpy as np
from numpy.typing import NDArray

from na64ml.events.splits import fold_of
from na64ml.selection.variables import compute
from na64ml.selection.view import EventView

PROJECTIONS = tuple(f"{plane}{axis}" for plane in ("MM5", "ST05", "MM6", "ST03") for axis in "XY")
VARIABLES = (
    "ecal_energy", "prs_energy", "prs_fraction", "ecal_max_fraction", "ecal_neighbour_fraction",
    "ecal_width_x", "ecal_width_y", "ecal_radius", "shower_track_distance", "shower_chi2",
    "hcal_energy", "hcal_centre_energy", "rhcal", "hcal_periphery_energy", "hcal_module:0", "hcal_module:1",
    "hcal_module:2", "vhcal_energy", "veto_energy", "veto_plane:0", "veto_plane:1", "veto_plane:2",
    "srd_sum", "srd_min", "srd_second", "srd_max", "ecal_out_of_time_energy", "hcal_out_of_time_energy",
    "track_momentum", "track_angle", "track_chi2",
    *(f"{name}:{projection}" for name in ("hits", "spread", "rms", "residual") for projection in PROJECTIONS),
)  # fmt: skip


def out_of_fold_scores(view: EventView, label: NDArray[np.int64], dataset: str, n_folds: int) -> NDArray[np.float64]:
    """Return the score of each event, from trees trained on the other folds."""
    table = variables(view)
    fold = fold_of(dataset, view.batch.ids, n_folds)
    score = np.empty(len(label))
    for test in range(n_folds):
        train, now = fold != test, fold == test
        score[now] = boosted_tree_scores(table[train], label[train], table[now])
    return score


def variables(view: EventView) -> NDArray[np.float64]:
    """Return the table of analysis variables, ``[n_events, n_variables]``."""
    return np.column_stack(list(compute(VARIABLES, view).values()))


def boosted_tree_scores(
    train: NDArray[np.float64], label: NDArray[np.int64], test: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Train on one table and return log p(signal) / p(background) of the events of the other."""
    trees = lightgbm.LGBMClassifier(
        n_estimators=300, learning_rate=0.03, num_leaves=15, min_child_samples=10, colsample_bytree=0.5,
        subsample=0.8, subsample_freq=1, class_weight="balanced", n_jobs=1, random_state=0, verbose=-1,
    )  # fmt: skip
    trees.fit(train, label)
    p = np.clip(trees.predict_proba(test), 1e-9, 1)
    scores: NDArray[np.float64] = np.log(p[:, 0]) - np.log(p[:, 1:].mean(axis=1))
    return scores
