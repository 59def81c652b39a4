"""Turning whatever holds events into event batches: awkward arrays, dictionaries of NumPy arrays, trees of uproot."""

from collections.abc import Iterator, Mapping
from typing import Any

import awkward as ak
import numpy as np

from na64ml.errors import InputError
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader

_SCORED_FIELDS = {"hits", "track"}
"""Fields of a record as `EventBatch.to_awkward` makes them, without which there is nothing to score."""


def batches(events: Any, reader: EventReader) -> Iterator[EventBatch]:
    """Yield events in order.

    Parameters
    ----------
    events
        One of

        - a tree opened with uproot, read in steps so that memory does not grow with it,
        - a mapping of branch names to arrays, or an awkward array of records with branches as fields, as the layout
          of the reader describes them,
        - an awkward array of records with ``hits`` and ``track``, as `EventBatch.to_awkward` returns them; the
          field ``detector`` of the hits holds names, or indices into the detectors of the reader.

    Raises
    ------
    InputError
        If it is none of these, or does not have what the layout needs.
    """
    if isinstance(events, ak.Array):
        if set(events.fields) >= _SCORED_FIELDS:
            yield _from_records(events, reader)
        else:
            yield reader.decode({name: events[name] for name in events.fields})
    elif hasattr(events, "iterate") and hasattr(events, "num_entries"):  # before Mapping, which a TTree is too
        yield from reader.iterate_tree(events, events.file.file_path)
    elif isinstance(events, Mapping):
        yield reader.decode(events)
    else:
        raise InputError(
            f"cannot score {type(events).__name__}; give an EventBatch, an awkward array, a dictionary of arrays or an "
            "uproot tree"
        )


def _from_records(events: ak.Array, reader: EventReader) -> EventBatch:
    hits = events["hits"]
    if "detector" not in hits.fields:
        raise InputError("the hits of the events have no field 'detector'; add it with the name of the detector")
    detectors: tuple[str, ...] = reader.detectors
    names = ak.flatten(hits["detector"], axis=1)
    if ak.parameters(names).get("__array__") == "string":
        detectors = tuple(np.unique(ak.to_numpy(names)).tolist())
        index = np.searchsorted(np.array(detectors), ak.to_numpy(names)) if detectors else np.zeros(0, dtype=np.int64)
        hits = ak.with_field(hits, ak.unflatten(index, ak.num(hits["x"])), "detector")
    if "channel" not in hits.fields:
        hits = ak.with_field(hits, ak.zeros_like(hits["x"], dtype=np.int16), "channel")
    zeros = np.zeros(len(events), dtype=np.int64)
    fillers = {
        "run": zeros,
        "spill": zeros,
        "spillevent": zeros,
        "process": zeros.astype(np.int16),
        "weight": zeros + 1.0,
    }
    filled = {name: events[name] if name in events.fields else values for name, values in fillers.items()}
    return EventBatch.from_awkward(ak.Array({**filled, "hits": hits, "track": events["track"]}), detectors)
