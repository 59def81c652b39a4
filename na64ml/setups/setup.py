"""The detector of one period, read from YAML."""

from collections import Counter as Tally
from itertools import combinations
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from na64ml.errors import ConfigError
from na64ml.setups.detectors import Calorimeter, Detector
from na64ml.setups.sourced import NonNegative, Pair, Positive, Real
from na64ml.yaml_files import StrictModel, content_hash, find_named, read_yaml, validate

_FOLDER = Path(__file__).parent / "catalog" / "setups"


class Beam(StrictModel):
    """The beam at the front face of the target.

    Parameters
    ----------
    particle
        Field name of the particle.
    energy
        Nominal energy in GeV.
    momentum_spread
        Relative width dp/p.
    sigma_x, sigma_y
        Gaussian widths of the beam spot in mm.
    offset
        Mean of the beam spot in x and y in mm, from the centre of the impact cell.
    divergence
        Gaussian width of the angle in each projection, in rad.
    """

    particle: Literal["e-", "e+", "mu-", "mu+", "pi-", "pi+", "K-", "p"]
    energy: Positive
    momentum_spread: NonNegative
    sigma_x: Positive
    sigma_y: Positive
    offset: Pair
    divergence: NonNegative | None = None


class MaterialPlane(StrictModel):
    """Material that the beam crosses upstream of the target: a tracker, a window, a counter.

    Parameters
    ----------
    name
        What it is.
    z
        Position along the beam in mm.
    radiation_lengths
        Thickness in radiation lengths.
    """

    name: str
    z: Real
    radiation_lengths: Positive


class Setup(StrictModel):
    """The detector of one period: beam, detectors and geometry.

    Parameters
    ----------
    name
        Name of the setup; shipped ones are found by it.
    description
        One paragraph for people.
    target
        Name of the calorimeter that is the active target.
    beam
        The beam.
    detectors
        Along the beam.
    upstream
        Material between the magnet and the target, where the beam may interact.

    Raises
    ------
    ValueError
        If names repeat, the target is not a calorimeter of the setup, or calorimeter segments overlap.
    """

    name: Annotated[str, Field(min_length=1)]
    description: str
    target: str
    beam: Beam
    detectors: Annotated[tuple[Detector, ...], Field(min_length=1)]
    upstream: tuple[MaterialPlane, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> "Setup":
        repeated = [name for name, count in Tally(self.detector_names).items() if count > 1]
        if repeated:
            raise ValueError(f"detector name '{repeated[0]}' is used more than once; give each detector its own name")
        calorimeters = [detector for detector in self.detectors if isinstance(detector, Calorimeter)]
        names = [calorimeter.name for calorimeter in calorimeters]
        if self.target not in names:
            raise ValueError(f"target '{self.target}' is not a calorimeter; the calorimeters are {', '.join(names)}")
        boxes = [box for calorimeter in calorimeters for box in _boxes(calorimeter)]
        for (name, low, high), (other, other_low, other_high) in combinations(boxes, 2):
            if np.all((low < other_high - 1e-6) & (other_low < high - 1e-6)):
                raise ValueError(
                    f"{name} (z = {low[2]:g} to {high[2]:g} mm) and {other} (z = {other_low[2]:g} to "
                    f"{other_high[2]:g} mm) overlap; correct their z or centre"
                )
        return self

    @property
    def detector_names(self) -> tuple[str, ...]:
        """Names of the detectors, along the beam."""
        return tuple(detector.name for detector in self.detectors)

    def detector(self, name: str) -> Detector:
        """Return the detector called ``name``.

        Raises
        ------
        ConfigError
            If there is none; the message lists the known names.
        """
        for detector in self.detectors:
            if detector.name == name:
                return detector
        raise ConfigError(f"setup '{self.name}' has no detector '{name}'; use one of {', '.join(self.detector_names)}")

    @property
    def target_calorimeter(self) -> Calorimeter:
        """The active target."""
        return next(d for d in self.detectors if isinstance(d, Calorimeter) and d.name == self.target)

    def cell_centre(self, cell: tuple[int, int]) -> tuple[float, float]:
        """Return the transverse centre in mm of a cell ``(ix, iy)`` of the target.

        Raises
        ------
        ConfigError
            If the target has no such cell.
        """
        target = self.target_calorimeter
        _, nx, ny = target.shape
        if not (0 <= cell[0] < nx and 0 <= cell[1] < ny):
            raise ConfigError(
                f"setup '{self.name}': {self.target} has no cell {tuple(cell)}; it has {nx} x {ny} cells counted from 0"
            )
        x, y, _ = target.channels.position.reshape(*target.shape, 3)[0, cell[0], cell[1]]
        return float(x), float(y)

    @property
    def geometry_hash(self) -> str:
        """Hash of the target, beam offset and channel geometry; independent of descriptions and source tags."""
        offset = list(self.beam.offset.value) if self.beam.offset else None
        return content_hash(
            [self.target, offset]
            + [
                {
                    "name": detector.name,
                    "kind": detector.kind,
                    "shape": detector.shape,
                    "label": detector.channels.label,
                    "axis": detector.channels.axis.tolist(),
                    "position": (detector.channels.position.round(6) + 0.0).tolist(),
                    "size": detector.channels.size.round(6).tolist(),
                }
                for detector in self.detectors
            ]
        )


def load_setup(name_or_path: str) -> Setup:
    """Load a shipped setup by name, or any setup by the path of its YAML file.

    A file with the key ``extends: NAME`` starts from that shipped setup; its own top-level keys replace those of it.

    Raises
    ------
    ConfigError
        If there is no such setup or the file is wrong; the message names file, key and value.
    """
    path = find_named(_FOLDER, name_or_path, "setup")
    content = read_yaml(path)
    if base := content.pop("extends", None):
        content = read_yaml(find_named(_FOLDER, str(base), "setup")) | content
    return validate(Setup, content, path)


def shipped_setups() -> tuple[str, ...]:
    """Return the names of the shipped setups, sorted."""
    return tuple(sorted(file.stem for file in _FOLDER.glob("*.yaml")))


def _boxes(calorimeter: Calorimeter) -> list[tuple[str, np.ndarray, np.ndarray]]:
    half = np.array(calorimeter.width) / 2
    return [
        (
            f"{calorimeter.name} segment '{segment.name}'",
            np.array([*(calorimeter.segment_centre(i) - half), segment.z_min]),
            np.array([*(calorimeter.segment_centre(i) + half), segment.z_max]),
        )
        for i, segment in enumerate(calorimeter.segments)
    ]
