"""Variables of the whole event: columns of the layout and the quality of its spill."""

import numpy as np

from na64ml.selection.view import EventView, Floats


def column(view: EventView, name: str) -> Floats:
    """Any event-level column of the layout (``column:is_physics``), in the units of the layout."""
    return view.column(name)


def bad_spill(view: EventView) -> Floats:
    """1 if the conditions list the spill of the event as bad, else 0 (physics.md 2.1 step 0 [V-code])."""
    runs, spills = view.batch.ids[:, 0], view.batch.ids[:, 1]
    return view.conditions.bad_spill_mask(runs, spills).astype(np.float64)
