"""From the events of a reader to the view that analysis variables need."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from na64ml.events.batch import EventBatch
from na64ml.selection.absent import absent_inputs
from na64ml.selection.view import EventView

if TYPE_CHECKING:
    from na64ml.events.reader import EventReader


def make_viewer(reader: "EventReader") -> Callable[[EventBatch], EventView]:
    """Return the function from events of a reader to their view."""
    absent = absent_inputs(reader.layout, reader.setup)
    return lambda events: EventView(events, reader.setup, reader.conditions, absent)
