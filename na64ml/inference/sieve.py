"""Which events a skim keeps, and how many there are of each process."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from na64ml.events.batch import UNKNOWN_PROCESS, EventBatch
from na64ml.inference.scorer import Scorer
from na64ml.selection.blinding import Blinding
from na64ml.selection.cutflow import DATA
from na64ml.selection.cuts import Mask
from na64ml.selection.selection import Selection
from na64ml.selection.view import EventView


class Tally(IntEnum):
    """What is counted of each process."""

    EVENTS = 0
    KEPT = 1
    NOT_SCORED = 2
    KEPT_NOT_SCORED = 3


@dataclass
class Sieve:
    """Keeps what the selection leaves: the last row, *surviving*, of its cut flow.

    Events without a score are kept if they are background or data that no defined cut rejects. Hidden data are not
    kept; how many there are is not said, they are counted as if a cut had rejected them.

    Parameters
    ----------
    selection
        The cuts.
    blinding
        Says which data to leave out, and knows the classes of the mode.
    make_view
        From events to what the analysis variables need.
    scorer
        The network; used if a cut uses the score.
    """

    selection: Selection
    blinding: Blinding
    make_view: Callable[[EventBatch], EventView]
    scorer: Scorer | None = None
    counts: dict[str, NDArray[np.int64]] = field(default_factory=dict, init=False)
    """Counts ``[len(Tally)]`` by process, or of ``data``."""

    def __call__(self, events: EventBatch) -> Mask:
        """Return which events to keep, bool ``[n_events]``.

        Raises
        ------
        ConfigError
            If a cut uses the score and there is no network, or the network has no such working point.
        AbsentInputError
            If a cut that is not optional needs something the events do not have.
        """
        view = self.make_view(events)
        extra = points = None
        if self.scorer and self.selection.uses_score:
            extra, points = self.scorer.score(events, view).variables, self.scorer.metadata.thresholds
        decisions = self.selection.apply(view, extra, points)
        kept = decisions.surviving(self.blinding.mode.label(events) == 0) & ~self.blinding.hidden(view)
        self._count(events, kept, decisions.scored)
        return kept

    def total(self, tally: Tally) -> int:
        """Return a count of all processes together."""
        return int(sum(counts[tally] for counts in self.counts.values()))

    def _count(self, events: EventBatch, kept: Mask, scored: Mask) -> None:
        everything = np.ones(len(events), dtype=np.bool_)
        masks = {
            Tally.EVENTS: everything,
            Tally.KEPT: kept,
            Tally.NOT_SCORED: ~scored,
            Tally.KEPT_NOT_SCORED: kept & ~scored,
        }
        for process in np.unique(events.process).tolist():
            name = DATA if process == UNKNOWN_PROCESS else events.processes[process]
            counts = self.counts.setdefault(name, np.zeros(len(Tally), dtype=np.int64))
            of_process = events.process == process
            for tally, mask in masks.items():
                counts[tally] += np.count_nonzero(mask & of_process)
