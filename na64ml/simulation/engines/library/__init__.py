"""The library engine: frozen showers, moved to where particles hit."""

from na64ml.simulation.engines.library.engine import Library

__all__ = ["Library"]
