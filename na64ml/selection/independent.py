"""Which events are independent of each other: those of one leading shower of a library are not."""

import numpy as np
from numpy.typing import NDArray

from na64ml.events.batch import EventBatch

COLUMN = "shower_id"
"""Column of the id of the leading shower; negative or missing for events that come from no library."""


def leading_showers(events: EventBatch) -> NDArray[np.int64]:
    """Return the id of the leading shower of each event, -1 for events that come from no library."""
    ids = events.columns.get(COLUMN)
    if ids is None:
        return np.full(len(events), -1, dtype=np.int64)
    return np.where(np.isfinite(ids), ids, -1).astype(np.int64)


def trial_of_event(n_events: int, group: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Return the number of the independent trial that each event belongs to, ``[n_events]``, from 0 on.

    Parameters
    ----------
    n_events
        Number of events.
    group
        int64 ``[n_events]``: events with the same value are one trial; those with a negative one are each their own.
        None: all are their own.
    """
    if group is None:
        return np.arange(n_events)
    own = group < 0
    index = np.empty(n_events, dtype=np.int64)
    distinct, index[~own] = np.unique(group[~own], return_inverse=True)
    index[own] = len(distinct) + np.arange(int(own.sum()))
    return index


def weight_of_trials(weight: NDArray[np.float64], group: NDArray[np.int64] | None) -> NDArray[np.float64]:
    """Return the summed weight of each independent trial, ``[n_trials]``, of events as in `trial_of_event`."""
    return np.bincount(trial_of_event(len(weight), group), weight).astype(np.float64)
