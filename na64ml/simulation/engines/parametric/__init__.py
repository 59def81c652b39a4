"""."""
from na64ml.simulation.engines.parametric.engine import Parametric
__all__ = ["Parametric"]
