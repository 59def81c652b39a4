"""Cut flows as tables for people."""

from rich.console import Group, RenderableType
from rich.table import Table

from na64ml.selection.cutflow import CONFIDENCE_LEVEL, CutFlow, CutFlowRow, GroupCount


def render(flow: CutFlow) -> RenderableType:
    """Return two tables: the events that every cut leaves, and the survivors of each class in detail.

    The last column of the first table says what else happened to the events that reached the cut. Intervals of
    every row are in the JSON file.
    """
    rows = flow.to_rows()
    return Group(_events(flow, rows), _survivors(rows[-1]))


def survivor_cells(count: GroupCount | None) -> list[str]:
    """Return events, weighted yield, efficiency in % with its interval, and weighted efficiency."""
    if count is None:
        return ["blinded"] * 4
    low, high, efficiency = (100 * share for share in (count.low, count.high, count.efficiency))
    return [
        f"{count.events}",
        f"{count.weighted:.4g} ± {count.weighted_error:.2g}",
        f"{efficiency:.3g} ({low:.3g} - {high:.3g})",
        f"{100 * count.weighted_efficiency:.3g}",
    ]


SURVIVOR_COLUMNS = ("events", "weighted yield", f"efficiency % ({CONFIDENCE_LEVEL:.0%} CL)", "weighted efficiency %")
"""Headings of `survivor_cells`."""


def remarks(row: CutFlowRow) -> str:
    """Name the undefined and not applicable events of a cut, summed over the classes."""
    seen = [count for count in row.counts.values() if count]
    reached = sum(count.events + count.rejected + count.set_aside for count in seen)
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
