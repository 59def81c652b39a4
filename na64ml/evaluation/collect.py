"""From files to scored events with truth."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import InputError
from na64ml.evaluation.scored import ScoredEvents
from na64ml.events.batch import EventBatch
from na64ml.events.reader import EventReader
from na64ml.events.root_files import expand
from na64ml.events.splits import check_unique
from na64ml.inference.scorer import Scores
from na64ml.selection.independent import leading_showers
from na64ml.selection.mode import Mode
from na64ml.selection.variables import compute
from na64ml.selection.view import EventView
from na64ml.selection.viewer import make_viewer

ENERGIES = ("ecal_energy", "hcal_energy")


def collect(
    reader: EventReader,
    files: str | Path | Sequence[str | Path],
    mode: Mode,
    score: Callable[[EventBatch, EventView], Scores],
    keep: Callable[[EventBatch], NDArray[np.bool_]] | None = None,
    progress: Callable[[int], None] = lambda n_events: None,
) -> ScoredEvents:
    """Read, score and label events.

    Parameters
    ----------
    score
        Scores the events of a batch, of which it also gets the view.
    keep
        Mask of the events to use; all by default.
    progress
        Called with the number of events of each batch read.

    Raises
    ------
    InputError
        If events have no truth, an event occurs twice, or none is left.
    """
    make_view = make_viewer(reader)
    parts, ids = [], []
    for events in reader.iterate(files):
        ids.append(events.ids)
        progress(len(events))
        chosen = events.select(keep(events)) if keep is not None else events
        if len(chosen):
            view = make_view(chosen)
            parts.append(scored_events(view, mode, score(chosen, view)))
    if not parts:
        raise InputError(f"{files}: no event is in the part to evaluate; evaluate all events of a file instead")
    check_unique(np.concatenate(ids), ", ".join(expand(files)))
    return ScoredEvents.join(parts)


def scored_events(view: EventView, mode: Mode, scores: Scores) -> ScoredEvents:
    """Combine events and their scores.

    Raises
    ------
    InputError
        If events have no truth.
    """
    events = view.batch
    label = mode.label(events)
    if (label < 0).any():
        raise InputError(
            f"{(label < 0).sum()} of {len(events)} events have no simulation truth; "
            "only labelled events can be evaluated"
        )
    energies = compute(ENERGIES, view)
    mass = np.asarray(events.columns.get("mass", np.full(len(events), np.nan)), dtype=np.float64)
    return ScoredEvents(
        classes=mode.classes,
        label=label,
        probability=scores.probability,
        score=scores.score.astype(np.float64),
        status=scores.status,
        weight=events.weight,
        mass=np.where(mass > 0, mass, np.nan),
        ecal_energy=energies["ecal_energy"],
        hcal_energy=energies["hcal_energy"],
        ids=events.ids,
        group=leading_showers(events),
    )
