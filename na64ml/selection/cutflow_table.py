"""Cut flows as a table for people."""

from rich.table import Table

from na64ml.selection.cutflow import CONFIDENCE_LEVEL, CutFlow, CutFlowRow, GroupCount


def render(flow: CutFlow) -> Table:
    """Return a table with one row per cut and one column per class that has events.

    A cell has the events, the efficiency with its interval and, where weights differ from 1, the weighted
    yield. The last column says what else happened to the events that reached the cut.
    """
    rows = flow.to_rows()
    groups = list(rows[0].counts)
    table = Table(
        title=f"Cut flow '{flow.selection.name}'",
        caption=_caption(flow),
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("cut")
    for name in groups:
        table.add_column(name.replace("_", "_\n"), justify="right", overflow="fold")
    table.add_column("remarks")
    for row in rows:
        table.add_row(row.name, *(_cell(row.counts[name]) for name in groups), _remarks(row))
    return table


def _caption(flow: CutFlow) -> str:
    text = f"events, efficiency in % [{CONFIDENCE_LEVEL:.0%} Clopper-Pearson interval], Σw = weighted yield"
    if flow.blinded:
        text += "; data inside the blinded region are not counted"
    return text


def _cell(count: GroupCount | None) -> str:
    if count is None:
        return "blinded"
    low, high, efficiency = (100 * share for share in (count.low, count.high, count.efficiency))
    text = f"{count.events}  {efficiency:.3g}%\n\\[{low:.3g}, {high:.3g}]"
    if count.weighted == count.events:
        return text
    return f"{text}\nΣw {count.weighted:.3g}"


def _remarks(row: CutFlowRow) -> str:
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
