"""The parametric engine: showers from formulas, for any setup."""

from na64ml.simulation.engines.parametric.engine import Parametric

__all__ = ["Parametric"]
