"""Cut flows: how many events of each class every cut leaves, summed over batches.

Every event that reaches a cut passes it, is rejected by it, or is set aside because a cut on the score finds
no score (status other than 0). Set-aside signal is lost. Set-aside background and data are never dropped:
the other cuts go on, and what they leave is added to the survivors.
"""

import json
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from na64ml.errors import InputError
from na64ml.selection.blinding import Blinding
from na64ml.selection.cuts import Mask
from na64ml.selection.mode import DATA_LABEL
from na64ml.selection.selection import Decisions, Selection
from na64ml.selection.view import EventView

DATA = "data"
"""Group of the events without truth."""

CONFIDENCE_LEVEL = 0.95
"""Confidence level of the intervals of efficiencies."""

START, NOT_SCORED, SURVIVING = "all events", "not scored", "surviving"


@dataclass(frozen=True)
class GroupCount:
    """One class in one row of a cut flow.

    Parameters
    ----------
    events
        Unweighted count after the cut.
    rejected, set_aside
        Events that reached the cut and were rejected by it, or had no score for it.
    undefined
        Events that reached the cut and for which it is undefined; they are also among the others.
    not_applicable
        Events that reached the cut but whose layout lacks its inputs; they pass.
    weighted, weighted_error
        Sum of weights after the cut, and the square root of the sum of their squares.
    efficiency, low, high
        ``events`` over those at the start, with the two-sided Clopper-Pearson interval of level
        `CONFIDENCE_LEVEL`.
    weighted_efficiency
        ``weighted`` over that at the start.
    """

    events: int
    rejected: int
    set_aside: int
    undefined: int
    not_applicable: int
    weighted: float
    weighted_error: float
    efficiency: float
    low: float
    high: float
    weighted_efficiency: float


@dataclass(frozen=True)
class CutFlowRow:
    """One row: a cut, the start, the events without a score, or the survivors.

    ``counts`` holds None for blinded data.
    """

    name: str
    source: str | None
    counts: dict[str, GroupCount | None]


class Tally(IntEnum):
    """What is counted of the events that reach a cut."""

    PASSED = 0
    REJECTED = 1
    SET_ASIDE = 2
    UNDEFINED = 3
    NOT_APPLICABLE = 4
    ASIDE_SURVIVING = 5
    """Set aside at this cut or before, and kept by all cuts so far that do not use the score."""


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
    """Sums of weight^0, weight^1, weight^2, ``[len(Tally), n_cuts + 1, n_groups, 3]``; row 0 is the start."""

    def __post_init__(self) -> None:
        self.tallies = np.zeros((len(Tally), len(self.selection.cuts) + 1, len(self.groups), 3))

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
        alive = ~self.blinding.hidden(view)
        aside = np.zeros_like(alive)

        def tally(mask: Mask) -> NDArray[np.float64]:
            sums = [
                np.bincount(group[mask], weights=weight[mask] ** power, minlength=len(self.groups))
                for power in (0, 1, 2)
            ]
            return np.stack(sums, axis=1)

        self.tallies[Tally.PASSED, 0] += tally(alive)
        for number, cut in enumerate(self.selection.cuts):
            row, kept = self.tallies[:, number + 1], decisions.kept[number]
            unscored = alive & ~decisions.scored if cut.uses_score else np.zeros_like(alive)
            aside = unscored | (aside if cut.uses_score else aside & kept)
            row[Tally.UNDEFINED] += tally(alive & decisions.undefined[number])
            if not decisions.applicable[number]:
                row[Tally.NOT_APPLICABLE] += tally(alive)
            row[Tally.SET_ASIDE] += tally(unscored)
            row[Tally.REJECTED] += tally(alive & ~unscored & ~kept)
            alive = alive & ~unscored & kept
            row[Tally.PASSED] += tally(alive)
            row[Tally.ASIDE_SURVIVING] += tally(aside)

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
        return total

    def to_rows(self) -> list[CutFlowRow]:
        """Return the rows of the table, in order, for the classes that have events.

        After the first cut on the score follows the row of the events set aside; the last row is the
        survivors, with set-aside background and data among them.
        """
        passed = self.tallies[Tally.PASSED]
        nothing = np.zeros(self.tallies[:, 0].shape[:2])
        rows = [CutFlowRow(START, None, self._counts(passed[0], nothing))]
        first_score = next((number for number, cut in enumerate(self.selection.cuts) if cut.uses_score), None)
        for number, cut in enumerate(self.selection.cuts):
            tallies = self.tallies[:, number + 1]
            rows.append(CutFlowRow(cut.name, cut.source, self._counts(tallies[Tally.PASSED], tallies[..., 0])))
            if number == first_score:
                rows.append(CutFlowRow(NOT_SCORED, None, self._counts(tallies[Tally.SET_ASIDE], nothing)))
        aside = self.tallies[Tally.ASIDE_SURVIVING, -1] * np.array(
            [[name != self.blinding.mode.signal] for name in self.groups]
        )
        return [*rows, CutFlowRow(SURVIVING, None, self._counts(passed[-1] + aside, nothing))]

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

    def _counts(self, left: NDArray[np.float64], losses: NDArray[np.float64]) -> dict[str, GroupCount | None]:
        """Return the counts of one row.

        ``left`` is ``[n_groups, 3]``: the events the row is about; ``losses`` is ``[len(Tally), n_groups]``.
        """
        start = self.tallies[Tally.PASSED, 0]
        counts: dict[str, GroupCount | None] = {}
        for index, name in enumerate(self.groups):
            hides = self.blinded and name == DATA
            if hides and left[index, 0] == 0:
                counts[name] = None
            elif start[index, 0] > 0:
                counts[name] = GroupCount(
                    events=int(left[index, 0]),
                    rejected=int(losses[Tally.REJECTED, index]),
                    set_aside=int(losses[Tally.SET_ASIDE, index]),
                    undefined=int(losses[Tally.UNDEFINED, index]),
                    not_applicable=int(losses[Tally.NOT_APPLICABLE, index]),
                    weighted=float(left[index, 1]),
                    weighted_error=float(np.sqrt(left[index, 2])),
                    **_efficiency(left[index], start[index]),
                )
        return counts


def _efficiency(passed: NDArray[np.float64], start: NDArray[np.float64]) -> dict[str, float]:
    test = binomtest(int(passed[0]), int(start[0]))
    interval = test.proportion_ci(confidence_level=CONFIDENCE_LEVEL, method="exact")
    return {
        "efficiency": float(passed[0] / start[0]),
        "low": float(interval.low),
        "high": float(interval.high),
        "weighted_efficiency": float(passed[1] / start[1]) if start[1] else 0.0,
    }
