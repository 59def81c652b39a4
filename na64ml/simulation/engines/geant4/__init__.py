"""The Geant4 engine: geometry from the setup, transport by the package ``calzone``."""

from na64ml.simulation.engines.geant4.engine import Geant4

__all__ = ["Geant4"]
