"""Cut flows as tables for people."""

from rich.console import Group, RenderableType
from rich.table import Table

from na64ml.selection.cutflow import CutFlow, CutFlowRow, GroupCount
from na64ml.selection.intervals import CONFIDENCE_LEVEL


def render(flow: CutFlow) -> RenderableType:
    """Return two tables: the events that every cut leaves, and the survivors of each class in detail.

    The last column of the first table says what else happened to the events that reached the cut. Intervals of
    every row are in the JSON file.
    """
    rows = flow.to_rows()
    return Group(_events(flow, rows), _survivors(rows[-1]))


def survivor_cells(count: GroupCount | None) -> list[str]:
    """Return events, weighted yield, and efficiency and weighted efficiency in % with their intervals.

    Without survivors, yield and efficiencies are upper limits.
    """
    if count is None:
        return ["blinded"] * len(SURVIVOR_COLUMNS)
    limit = count.weighted_limit
    return [
        f"{count.events}",
        f"{count.weighted:.4g} ± {count.weighted_error:.2g}" if limit is None else f"< {limit:.3g}",
        _percent(count.efficiency, count.low, count.high),
        _percent(count.weighted_efficiency, count.weighted_low, count.weighted_high),
    ]


SURVIVOR_COLUMNS = (
    "events",
    f"weighted yield (limits: {CONFIDENCE_LEVEL:.0%} CL)",
    f"efficiency % ({CONFIDENCE_LEVEL:.0%} CL)",
    f"weighted efficiency % ({CONFIDENCE_LEVEL:.0%} CL)",
)
"""Headings of `survivor_cells`."""


def _percent(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return "no weight"
    if value == 0:
        return f"< {100 * high:.3g}"
    return f"{100 * value:.3g} ({100 * low:.3g} - {100 * high:.3g})"


def remarks(row: CutFlowRow) -> str:
    """Name the undefined and not applicable events of a cut, summed over the classes."""
    seen = [count for count in row.counts.values() if count]
    reached = sum(count.events + count.rejected for count in seen)
    undefined = sum(count.undefined for count in seen)
    skipped = sum(count.not_applicable for count in seen)
    parts = []
    if undefined:
        parts.append(f"undefined: {undefined}")
    if skipped:
        parts.append(f"not applicable: {'all' if skipped == reached else skipped}")
    return ", ".join(parts)


def _events(flow: CutFlow, rows: list[CutFlowRow]) -> Table:
    caption = "data inside the blinded region are not counted" if flow.blinded else None
    table = Table(title=f"Cut flow '{flow.selection.name}': events", caption=caption, title_justify="left")
    table.add_column("cut", min_width=10)
    for name in rows[0].counts:
        table.add_column(name.replace("_", " "), justify="right", overflow="fold")
    table.add_column("remarks")
    for row in rows:
        cells = ("blinded" if count is None else f"{count.events}" for count in row.counts.values())
        table.add_row(row.name, *cells, remarks(row))
    return table


def _survivors(row: CutFlowRow) -> Table:
    table = Table(title=f"{row.name.capitalize()} events, relative to all events", title_justify="left")
    table.add_column("class")
    for heading in SURVIVOR_COLUMNS:
        table.add_column(heading, justify="right")
    for name, count in row.counts.items():
        table.add_row(name.replace("_", " "), *survivor_cells(count))
    return table
