"""Cut flows: how many events of each class every cut leaves, summed over batches.

Where a cut uses the score, the events without one (status other than 0) are set aside at the start, before a
cut can find something undefined in them. Set-aside signal is lost. Set-aside background and data are never
dropped for want of a value: only cuts that are defined for them reject them, and the others survive.
"""

import json
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import InputError
from na64ml.selection.blinding import Blinding
from na64ml.selection.cuts import Mask
from na64ml.selection.efficiency import Trials
from na64ml.selection.independent import leading_showers
from na64ml.selection.intervals import CONFIDENCE_LEVEL, zero_survivor_yield
from na64ml.selection.mode import DATA_LABEL
from na64ml.selection.selection import Decisions, Selection
from na64ml.selection.shower_tally import ShowerTally
from na64ml.selection.view import EventView

DATA = "data"
"""Group of the events without truth."""

START, NOT_SCORED, SURVIVING = "all events", "not scored", "surviving"


@dataclass(frozen=True)
class GroupCount:
    """One class in one row of a cut flow.

    Intervals are those of `na64ml.selection.efficiency`, of the level `CONFIDENCE_LEVEL`: central, and without
    survivors 0 and the one-sided upper limit. Events of one leading shower of a library are one trial of them.

    Parameters
    ----------
    events
        Unweighted count after the cut.
    rejected
        Events that reached the cut and were rejected by it.
    undefined
        Events that reached the cut and for which it is undefined; they are also among the others.
    not_applicable
        Events that reached the cut but whose layout lacks its inputs; they pass.
    weighted, weighted_error
        Sum of weights after the cut, and the square root of the sum of their squares, of summed weights for events
        of one leading shower.
    weighted_limit
        Where no weight is left, the upper limit of ``weighted``: 2.30 times the largest weight of the class, or of
        one of its leading showers, at the start (physics.md 3.3 and 4.7). None otherwise.
    efficiency, low, high
        ``events`` over those at the start, with its interval.
    weighted_efficiency, weighted_low, weighted_high
        ``weighted`` over that at the start, with its interval from effective counts. None for a class without
        weight.
    """

    events: int
    rejected: int
    undefined: int
    not_applicable: int
    weighted: float
    weighted_error: float
    weighted_limit: float | None
    efficiency: float
    low: float
    high: float
    weighted_efficiency: float | None
    weighted_low: float | None
    weighted_high: float | None


@dataclass(frozen=True)
class CutFlowRow:
    """One row: a cut, the start, the events without a score, or the survivors.

    ``counts`` holds None for blinded data.
    """

    name: str
    source: str | None
    counts: dict[str, GroupCount | None]


class Tally(IntEnum):
    """What is counted in one row; all but the first of the events that reach its cut."""

    EVENTS = 0
    REJECTED = 1
    UNDEFINED = 2
    NOT_APPLICABLE = 3


_START, _NOT_SCORED, _FIRST_CUT, _SURVIVING = 0, 1, 2, -1
"""Rows of `CutFlow.tallies`."""


@dataclass
class CutFlow:
    """Event counts of a selection by class.

    Parameters
    ----------
    selection
        The cuts.
    blinding
        Says which data to leave out, and knows the classes of the mode.
    """

    selection: Selection
    blinding: Blinding
    has_data: bool = field(default=False, init=False)
    tallies: NDArray[np.float64] = field(init=False, repr=False)
    """Sums of weight^0, weight^1, weight^2, ``[len(Tally), n_cuts + 3, n_groups, 3]``; the rows are the start,
    the events without a score, the cuts, and the survivors."""
    largest: NDArray[np.float64] = field(init=False, repr=False)
    """Largest weight at the start, ``[n_groups]``."""

    showers: ShowerTally = field(init=False, repr=False)
    """The same sums by leading shower, for events of a shower library."""

    def __post_init__(self) -> None:
        self.showers = ShowerTally(len(self.selection.cuts) + 3)
        self.tallies = np.zeros((len(Tally), len(self.selection.cuts) + 3, len(self.groups), 3))
        self.largest = np.zeros(len(self.groups))

    @property
    def groups(self) -> tuple[str, ...]:
        """The classes of the mode and, last, data."""
        return (*self.blinding.mode.classes, DATA)

    @property
    def blinded(self) -> bool:
        """Whether there were data, of which those in the blinded region are not counted."""
        return self.has_data and not self.blinding.unblind

    def fill(self, view: EventView, decisions: Decisions) -> None:
        """Add the events of one batch and what the selection says about them.

        Data in the blinded region are not counted anywhere.
        """
        label, weight = self.blinding.mode.label(view.batch), view.batch.weight
        group = np.where(label == DATA_LABEL, len(self.groups) - 1, label).astype(np.int64)
        self.has_data |= bool((label == DATA_LABEL).any())
        shown = ~self.blinding.hidden(view)

        place = self.showers.place(group, np.where(shown, leading_showers(view.batch), -1))

        def tally(mask: Mask) -> NDArray[np.float64]:
            sums = [
                np.bincount(group[mask], weights=weight[mask] ** power, minlength=len(self.groups))
                for power in (0, 1, 2)
            ]
            return np.stack(sums, axis=1)

        def left(row: int, mask: Mask) -> None:
            self.tallies[Tally.EVENTS, row] += tally(mask)
            self.showers.add(row, mask, place, weight)

        np.maximum.at(self.largest, group[shown], weight[shown])
        left(_START, shown)
        left(_NOT_SCORED, shown & ~decisions.scored)
        left(_SURVIVING, shown & decisions.surviving(label == 0))
        alive = shown & decisions.scored
        for number, kept in enumerate(decisions.kept):
            row = self.tallies[:, _FIRST_CUT + number]
            row[Tally.REJECTED] += tally(alive & ~kept)
            row[Tally.UNDEFINED] += tally(alive & decisions.undefined[number])
            if not decisions.applicable[number]:
                row[Tally.NOT_APPLICABLE] += tally(alive)
            alive = alive & kept
            left(_FIRST_CUT + number, alive)

    def __add__(self, other: "CutFlow") -> "CutFlow":
        """Return the cut flow of both sets of events.

        Raises
        ------
        InputError
            If they are of different selections or classes, or only one is unblinded.
        """
        mine, theirs = self.selection.name, other.selection.name
        if (self.selection, self.groups) != (other.selection, other.groups):
            raise InputError(
                f"cannot add cut flows '{mine}' and '{theirs}': they differ in cuts or classes; "
                "fill both with the same selection and mode"
            )
        if self.blinding.unblind != other.blinding.unblind:
            raise InputError(f"cannot add cut flows '{mine}' and '{theirs}': only one of them is unblinded")
        total = CutFlow(self.selection, self.blinding)
        total.has_data = self.has_data or other.has_data
        total.tallies = self.tallies + other.tallies
        total.showers = self.showers + other.showers
        total.largest = np.maximum(self.largest, other.largest)
        return total

    def to_rows(self) -> list[CutFlowRow]:
        """Return the rows of the table, in order, for the classes that have events.

        The second row holds the events without a score, if a cut uses it; the last row is the survivors, with
        set-aside background and data among them.
        """
        cuts = self.selection.cuts
        rows = [CutFlowRow(START, None, self._counts(_START))]
        if self.selection.uses_score:
            rows.append(CutFlowRow(NOT_SCORED, None, self._counts(_NOT_SCORED)))
        rows += [CutFlowRow(cut.name, cut.source, self._counts(_FIRST_CUT + i)) for i, cut in enumerate(cuts)]
        return [*rows, CutFlowRow(SURVIVING, None, self._counts(_SURVIVING))]

    def to_json(self) -> str:
        """Return the whole table as JSON."""
        content: dict[str, Any] = {
            "selection": self.selection.name,
            "signal": self.blinding.mode.signal,
            "blinded": self.blinded,
            "confidence_level": CONFIDENCE_LEVEL,
            "rows": [asdict(row) for row in self.to_rows()],
        }
        return json.dumps(content, indent=2)

    def _counts(self, row: int) -> dict[str, GroupCount | None]:
        counts: dict[str, GroupCount | None] = {}
        for index, name in enumerate(self.groups):
            left, start = self.tallies[Tally.EVENTS, row, index], self.tallies[Tally.EVENTS, _START, index]
            if self.blinded and name == DATA and left[0] == 0:
                counts[name] = None
            elif start[0] > 0:
                plain, weighted = self.showers.trials(row, _START, index, left, start, float(self.largest[index]))
                losses = self.tallies[:, row, index, 0].astype(int).tolist()
                counts[name] = GroupCount(
                    events=int(left[0]),
                    rejected=losses[Tally.REJECTED],
                    undefined=losses[Tally.UNDEFINED],
                    not_applicable=losses[Tally.NOT_APPLICABLE],
                    weighted=float(left[1]),
                    weighted_error=float(np.sqrt(weighted.passed_squares)),
                    weighted_limit=None if left[1] > 0 else zero_survivor_yield(weighted.largest),
                    **_efficiencies(plain, weighted),
                )
        return counts


def _efficiencies(plain: Trials, weighted: Trials) -> dict[str, Any]:
    """Return the efficiencies of one class."""
    counted = plain.efficiency()
    by_weight = weighted.efficiency() if weighted.weight > 0 else None
    return {
        "efficiency": counted.value,
        "low": counted.lo,
        "high": counted.hi,
        "weighted_efficiency": by_weight.value if by_weight else None,
        "weighted_low": by_weight.lo if by_weight else None,
        "weighted_high": by_weight.hi if by_weight else None,
    }
