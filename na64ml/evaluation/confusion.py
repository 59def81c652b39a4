"""Confusion matrix of the most probable class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from na64ml.evaluation.scored import SCORED, ScoredEvents


@dataclass(frozen=True, eq=False)
class ConfusionMatrix:
    """Weight of events by true class (rows) and most probable class (columns).

    Parameters
    ----------
    classes
        Class names, the order of rows and columns.
    weight
        float64 ``[n_classes, n_classes + 1]``; the last column holds events without a score.
    """

    classes: tuple[str, ...]
    weight: NDArray[np.float64]

    @property
    def fraction(self) -> NDArray[np.float64]:
        """Share of each true class in each column, shape of ``weight``; NaN for a class without weight."""
        total = self.weight.sum(axis=1, keepdims=True)
        return self.weight / np.where(total > 0, total, np.nan)


def confusion_matrix(scored: ScoredEvents) -> ConfusionMatrix:
    """Return the weighted confusion matrix of the most probable class."""
    n = len(scored.classes)
    most_probable = np.argmax(np.nan_to_num(scored.probability), axis=1)
    predicted = np.where(scored.status == SCORED, most_probable, n)
    weight = np.zeros((n, n + 1))
    np.add.at(weight, (scored.label, predicted), scored.weight)
    return ConfusionMatrix(scored.classes, weight)
