"""Materials, sampling sandwiches, and their depth in radiation and interaction lengths."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from na64ml.setups.sourced import Positive
from na64ml.yaml_files import StrictModel

MaterialName = Literal["Pb", "Fe", "Cu", "W", "polystyrene"]


@dataclass(frozen=True)
class Material:
    """Properties of a material.

    Parameters
    ----------
    density
        In g/cm³.
    radiation_length, interaction_length
        X0 and nuclear interaction length in g/cm².
    """

    density: float
    radiation_length: float
    interaction_length: float


MATERIALS: dict[MaterialName, Material] = {
    "Pb": Material(11.35, 6.37, 199.6),
    "Fe": Material(7.874, 13.84, 132.1),
    "Cu": Material(8.96, 12.86, 137.3),
    "W": Material(19.3, 6.76, 191.9),
    "polystyrene": Material(1.032, 43.8, 81.7),
}
"""Absorbers and scintillator; PDG values as listed in physics.md 1.3 [C]."""


class Sandwich(StrictModel):
    """One layer of a sampling calorimeter; thicknesses in mm."""

    absorber: MaterialName
    absorber_thickness: Positive
    scintillator: MaterialName
    scintillator_thickness: Positive

    @property
    def thickness(self) -> float:
        """Absorber and scintillator of one layer in mm, without gaps."""
        return self.absorber_thickness.value + self.scintillator_thickness.value


class Layered(Protocol):
    """A detector made of sandwich layers."""

    @property
    def sandwich(self) -> Sandwich:
        """The repeated layer."""

    @property
    def layer_counts(self) -> tuple[int, ...]:
        """Number of layers of each segment or module."""


def radiation_lengths(detector: Layered) -> NDArray[np.float64]:
    """Return the depth of each segment or module in radiation lengths, ``[n_segments]``.

    Sum over the layers of thickness × density / X0 (PDG, passage of particles through matter).
    """
    return _depth(detector, {name: material.radiation_length for name, material in MATERIALS.items()})


def interaction_lengths(detector: Layered) -> NDArray[np.float64]:
    """Return the depth of each segment or module in nuclear interaction lengths, ``[n_segments]``."""
    return _depth(detector, {name: material.interaction_length for name, material in MATERIALS.items()})


def _depth(detector: Layered, length: dict[MaterialName, float]) -> NDArray[np.float64]:
    sandwich = detector.sandwich
    parts = (
        (sandwich.absorber, sandwich.absorber_thickness.value),
        (sandwich.scintillator, sandwich.scintillator_thickness.value),
    )
    mm_per_cm = 10.0
    per_layer = sum(MATERIALS[name].density * mm / mm_per_cm / length[name] for name, mm in parts)
    return per_layer * np.asarray(detector.layer_counts, dtype=np.float64)
