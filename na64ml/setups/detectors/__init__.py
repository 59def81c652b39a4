"""The kinds of detector that a setup is made of."""

from typing import Annotated

from pydantic import Field

from na64ml.setups.detectors.calorimeter import Calorimeter, Segment
from na64ml.setups.detectors.elements import SRD, Counter, Element
from na64ml.setups.detectors.tracker import Plane, Tracker

Detector = Annotated[Calorimeter | Counter | Tracker | SRD, Field(discriminator="kind")]
"""Any detector; the key ``kind`` of the YAML file says which."""

__all__ = ["SRD", "Calorimeter", "Counter", "Detector", "Element", "Plane", "Segment", "Tracker"]
