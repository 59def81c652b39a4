"""Scores as lazy columns of a dask-awkward array."""

from importlib import import_module
from typing import Any

import awkward as ak

from na64ml.errors import ConfigError
from na64ml.inference.scorer import Scorer


def dask_columns(scorer: Scorer, events: Any) -> Any:
    """Return class probabilities, score and status of lazy events, with the same partitions and order.

    Nothing is read or scored until the result, or what is made of it, is computed; then only the branches that the
    layout needs are read, and each worker opens the network file.

    Parameters
    ----------
    scorer
        The network; its layout describes the branches.
    events
        ``dask_awkward.Array`` of records with branches as fields, as ``uproot.dask`` makes it.

    Returns
    -------
    ``dask_awkward.Array`` of records with the fields p_CLASS, score and status.

    Raises
    ------
    ConfigError
        If dask-awkward is not installed.
    InputError
        If the events lack a branch that the layout needs.
    """
    try:
        dask_awkward: Any = import_module("dask_awkward")
    except ModuleNotFoundError as error:
        raise ConfigError("lazy columns need dask-awkward: pip install 'na64ml[dask-awkward]'") from error
    wanted = events[scorer.reader.branches(events.fields, "events")]
    return dask_awkward.map_partitions(_Columns(scorer), wanted, label="na64ml-score")


class _Columns:
    """Scores one partition; given a partition without data, says which columns come out."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    def __call__(self, events: ak.Array) -> ak.Array:
        columns = ak.Array(self._scorer.columns(ak.typetracer.length_zero_if_typetracer(events)))
        if ak.backend(events) != "typetracer":
            return columns
        return ak.Array(columns.layout.to_typetracer(forget_length=True))
