"""Drawing of single events."""

from na64ml.evaluation.display.event import display_event

__all__ = ["display_event"]
