"""Layouts: how one kind of ROOT tree maps to events."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from na64ml.events.batch import TRACK_FEATURES
from na64ml.resources import shipped
from na64ml.yaml_files import StrictModel, content_hash, find_named, load_model

_LAYOUT_FILES = "*/layouts/*.yaml"


class Scalar(StrictModel):
    """One event-level branch; its values are multiplied by ``scale``, ``missing`` becomes NaN."""

    branch: str
    scale: float = 1.0
    missing: float | None = None
    optional: bool = False


class CellValues(StrictModel):
    """Energies or times of the channels of one detector.

    ``scale`` converts to GeV or ns. An energy equal to ``empty`` is not a hit; a time equal to ``missing``
    is stored as NaN.
    """

    branch: str
    scale: float = 1.0
    empty: float | None = None
    missing: float | None = None
    optional: bool = False


class ArrayBlock(StrictModel):
    """A fixed array such as ``ECAL_ene[2][6][6]``.

    Its shape is that of the detector, of one ``segment`` of it, or one-dimensional with the listed
    ``entries`` used for the channels in order.
    """

    form: Literal["array"]
    detector: str
    energy: CellValues
    time: CellValues | None = None
    segment: int | None = None
    entries: tuple[int, ...] | None = None


class BranchesBlock(StrictModel):
    """One branch per channel: ``branch`` is a template with ``{segment}``, ``{x}`` and ``{y}`` or ``{i}``.

    With ``granularity: segment`` there is one branch per depth segment, and its energy is placed at the
    central cell of the segment.
    """

    form: Literal["branches"]
    detector: str
    energy: CellValues
    time: CellValues | None = None
    granularity: Literal["cell", "segment"] = "cell"


class Projection(StrictModel):
    """Branches with the coordinates measured by the two projections of one tracker plane."""

    x: str | None = None
    y: str | None = None


class ProjectionsBlock(StrictModel):
    """Tracker planes whose projections are unpaired jagged lists of coordinates; ``scale`` converts to mm."""

    form: Literal["projections"]
    detector: str
    planes: dict[str, Projection]
    scale: float = 1.0


Block = Annotated[ArrayBlock | BranchesBlock | ProjectionsBlock, Field(discriminator="form")]


class Identifiers(StrictModel):
    """Branches that identify an event."""

    run: str
    spill: str
    spillevent: str


class Process(StrictModel):
    """Integer branch with the simulated process and the process names in the order of its values."""

    branch: str
    names: tuple[str, ...]


class Truth(StrictModel):
    """Simulation truth. Files without these branches are read as data."""

    process: Process
    weight: str | None = None


class Layout(StrictModel):
    """How the branches of one kind of tree map to an `~na64ml.events.batch.EventBatch`."""

    name: str
    description: str
    tree: str
    setup: str
    conditions: str
    identifiers: Identifiers
    track: dict[str, Scalar] = Field(default_factory=dict)
    detectors: tuple[Block, ...]
    truth: Truth | None = None
    columns: dict[str, Scalar] = Field(default_factory=dict)

    @field_validator("track")
    @classmethod
    def _known_track_features(cls, track: dict[str, Scalar]) -> dict[str, Scalar]:
        if unknown := set(track) - set(TRACK_FEATURES):
            raise ValueError(f"unknown {', '.join(sorted(unknown))}; known are {', '.join(TRACK_FEATURES)}")
        return track

    @property
    def hash(self) -> str:
        """Short hash of the content, for provenance."""
        return content_hash(self.model_dump(mode="json"))


def shipped_layouts() -> list[str]:
    """Return the names of the shipped layouts."""
    return sorted(path.stem for path in shipped("configs").glob(_LAYOUT_FILES))


def load_layout(name: str) -> Layout:
    """Load a shipped layout by name, or any layout by the path of its YAML file.

    Raises
    ------
    ConfigError
        If there is no such layout or the file is wrong.
    """
    return load_model(Layout, find_named(shipped("configs"), name, "layout", _LAYOUT_FILES))
