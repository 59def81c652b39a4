"""The geometry that Geant4 sees, generated from a setup alone.

Volumes are named ``World.<Detector><part>...``; lengths are in cm, as ``calzone`` wants them.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from na64ml.setups.detectors import Calorimeter, Counter, Detector, Tracker
from na64ml.setups.materials import MaterialName
from na64ml.setups.setup import Setup

Volume = dict[str, Any]

CM = 0.1
"""One mm in cm."""

PLASTIC = "G4_PLASTIC_SC_VINYLTOLUENE"
"""The scintillator of the setups has the density 1.032 g/cm³ of polyvinyltoluene; Geant4's polystyrene has 1.06."""

NIST_NAMES: dict[MaterialName, str] = {
    "Pb": "G4_Pb",
    "Fe": "G4_Fe",
    "Cu": "G4_Cu",
    "W": "G4_W",
    "polystyrene": PLASTIC,
}
VACUUM = "G4_Galactic"

PLANE_THICKNESS = 0.1
"""Thickness in mm of the vacuum slab that records what crosses a tracker plane."""

WORLD_HALF_WIDTH = 4000.0
"""Half width of the world in mm: particles at 150 mrad leave it after 25 m, far beside every detector."""

WORLD_MARGIN = 1000.0
"""Vacuum in mm upstream of the first and downstream of the last detector, and at least upstream of `UPSTREAM_END`."""

UPSTREAM_END = -25000.0
"""The world begins at least here, z in mm, so that particles may start anywhere behind the magnet."""


def world(setup: Setup) -> tuple[dict[str, Volume], tuple[float, float]]:
    """Return the geometry as ``calzone`` wants it, and the first and last z of the world in mm."""
    parts = {name: volume for detector in setup.detectors for name, volume in volumes(detector)}
    last = max(float((d.channels.position + d.channels.size / 2)[:, 2].max()) for d in setup.detectors)
    first = min(float((d.channels.position - d.channels.size / 2)[:, 2].min()) for d in setup.detectors)
    limits = (min(first, UPSTREAM_END) - WORLD_MARGIN, last + WORLD_MARGIN)
    length, middle = limits[1] - limits[0], (limits[0] + limits[1]) / 2
    for volume in parts.values():
        volume["position"][2] -= middle * CM
    box = {"size": [2 * WORLD_HALF_WIDTH * CM, 2 * WORLD_HALF_WIDTH * CM, length * CM]}
    return {"World": {"material": VACUUM, "box": box, **parts}}, limits


def volumes(detector: Detector) -> Iterator[tuple[str, Volume]]:
    """Yield the volumes of a detector in the frame of the setup.

    An SRD has none: its response to synchrotron radiation is made by the digitisation.
    """
    if isinstance(detector, Calorimeter):
        for index in range(len(detector.segments)):
            yield segment_name(detector, index), _segment(detector, index)
    elif isinstance(detector, Counter):
        for index in distinct_elements(detector):
            position, size = detector.channels.position[index], detector.channels.size[index]
            yield element_name(detector, index), _box(PLASTIC, position, size, role="record_deposits")
    elif isinstance(detector, Tracker):
        for index, plane in enumerate(detector.planes):
            size = (2 * plane.half_x.value, 2 * plane.half_y.value, PLANE_THICKNESS)
            yield plane_name(detector, index), _box(VACUUM, (0, 0, plane.z.value), size, role="record_ingoing")


def distinct_elements(detector: Counter) -> list[int]:
    """Return the first element at each place; photomultipliers of one strip share it."""
    places = np.column_stack([detector.channels.position, detector.channels.size])
    return sorted(np.unique(places, axis=0, return_index=True)[1].tolist())


def segment_name(detector: Calorimeter, index: int) -> str:
    """Return the volume name of a calorimeter segment."""
    return f"{_camel(detector.name)}Segment{index}"


def element_name(detector: Counter, index: int) -> str:
    """Return the volume name of a counter element."""
    return f"{_camel(detector.name)}Element{index}"


def plane_name(detector: Tracker, index: int) -> str:
    """Return the volume name of a tracker plane."""
    return f"{_camel(detector.name)}Plane{index}"


def _segment(detector: Calorimeter, index: int) -> Volume:
    """Return one segment: layers of absorber and scintillator at a uniform pitch, in a vacuum box."""
    segment, sandwich = detector.segments[index], detector.sandwich
    centre = (*detector.segment_centre(index), (segment.z_min + segment.z_max) / 2)
    depth = segment.z_max - segment.z_min
    volume = _box(VACUUM, centre, (*detector.width, depth))
    plates = (
        ("A", NIST_NAMES[sandwich.absorber], sandwich.absorber_thickness.value, None),
        ("S", NIST_NAMES[sandwich.scintillator], sandwich.scintillator_thickness.value, "record_deposits"),
    )
    n_layers = segment.layers.value
    for layer in range(n_layers):
        z = -depth / 2 + layer * depth / n_layers
        for letter, material, thickness, role in plates:
            for frame, (x, y, width, height) in enumerate(_frame(detector)):
                place = (x, y, z + thickness / 2)
                volume[f"{letter}{layer}F{frame}"] = _box(material, place, (width, height, thickness), role=role)
            z += thickness
    return volume


def _frame(detector: Calorimeter) -> list[tuple[float, float, float, float]]:
    """Return centre and widths in mm of the boxes that make up one plate: one, or four around a square hole."""
    width, height = detector.width
    if detector.hole is None:
        return [(0.0, 0.0, width, height)]
    hole = detector.hole.value
    side, top = (width - hole) / 2, (height - hole) / 2
    return [
        (-(hole + side) / 2, 0.0, side, height),
        ((hole + side) / 2, 0.0, side, height),
        (0.0, -(hole + top) / 2, hole, top),
        (0.0, (hole + top) / 2, hole, top),
    ]


def _box(material: str, centre: Any, size: Any, role: str | None = None) -> Volume:
    volume: Volume = {
        "material": material,
        "box": {"size": [float(value) * CM for value in size]},
        "position": [float(value) * CM for value in centre],
    }
    return volume | ({"role": role} if role else {})


def _camel(name: str) -> str:
    return name[0].upper() + "".join(letter for letter in name[1:] if letter.isalnum())
