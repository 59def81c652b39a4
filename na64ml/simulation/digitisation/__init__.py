"""From deposits to measured values: what the readout makes of an event."""

from na64ml.simulation.digitisation.digitiser import Digitiser, SecondParticles

__all__ = ["Digitiser", "SecondParticles"]
