"""Boosted trees on the analysis variables, out of fold, for comparison with the network."""

import numpy as np
from numpy.typing import NDArray

from na64ml.events.splits import fold_of
from na64ml.models.boosted_trees import Table, grow, predicted
from na64ml.resources import shipped
from na64ml.selection.table import variable_table
from na64ml.selection.view import EventView
from na64ml.training.trees import TreesConfig
from na64ml.yaml_files import load_model

CONFIG = load_model(TreesConfig, shipped("configs") / "na64e_invisible" / "trees.yaml")
VARIABLES = CONFIG.variables


def out_of_fold_scores(view: EventView, label: NDArray[np.int64], dataset: str, n_folds: int) -> NDArray[np.float64]:
    """Return the score of each event, from trees trained on the other folds."""
    table = variables(view)
    fold = fold_of(dataset, view.batch.ids, n_folds)
    score = np.empty(len(label))
    for test in range(n_folds):
        train, now = fold != test, fold == test
        score[now] = boosted_tree_scores(table[train], label[train], table[now])
    return score


def variables(view: EventView) -> NDArray[np.float32]:
    """Return the table of analysis variables, ``[n_events, n_variables]``."""
    return variable_table(VARIABLES, view)


def boosted_tree_scores(
    train: NDArray[np.float32], label: NDArray[np.int64], test: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Train on one table and return log p(signal) / p(background) of the events of the other."""
    count = np.bincount(label)
    balanced = len(label) / (len(count) * count[label])
    booster = grow(Table(train, label, balanced), len(count), CONFIG.trees)
    p = np.clip(predicted(booster, test)[1], 1e-9, 1)
    scores: NDArray[np.float64] = np.log(p[:, 0]) - np.log(p[:, 1:].mean(axis=1))
    return scores
