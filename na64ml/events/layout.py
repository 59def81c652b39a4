"""Layouts: how one kind of ROOT tree maps to events."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PrivateAttr, field_validator, model_validator

from na64ml.errors import ConfigError
from na64ml.events.batch import RECORD_FIELDS, TRACK_FEATURES
from na64ml.resources import shipped
from na64ml.yaml_files import StrictModel, content_hash, find_named, load_model

_LAYOUT_FILES = "*/layouts/*.yaml"


class Scalar(StrictModel):
    """One event-level branch: values are multiplied by ``scale``, ``missing`` (before scaling) becomes NaN."""

    branch: str
    scale: float = 1.0
    missing: float | None = None
    optional: bool = False


class Energies(StrictModel):
    """Energies of the channels of one detector: ``scale`` converts to GeV, a value equal to ``empty`` is no hit."""

    branch: str
    scale: float = 1.0
    empty: float | None = None
    optional: bool = False


class Times(StrictModel):
    """Times of the channels of one detector: ``scale`` converts to ns, ``missing`` (before scaling) becomes NaN."""

    branch: str
    scale: float = 1.0
    missing: float | None = None
    optional: bool = False


class ArrayBlock(StrictModel):
    """A fixed array such as ``ECAL_ene[2][6][6]``.

    Its shape is that of the detector or of one ``segment`` of it (axes of length one do not matter, and it may be
    flat), or one-dimensional with the listed ``entries`` used for the channels in order.
    """

    form: Literal["array"]
    detector: str
    energy: Energies
    time: Times | None = None
    segment: int | None = None
    entries: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_choice(self) -> "ArrayBlock":
        if self.segment is not None and self.entries is not None:
            raise ValueError("give either segment or entries, not both")
        return self


class BranchesBlock(StrictModel):
    """One branch per channel: ``branch`` is a template with ``{segment}``, ``{x}`` and ``{y}`` or ``{i}``.

    With ``granularity: segment`` there is one branch per depth segment, and its energy is placed at the
    central cell of the segment.
    """

    form: Literal["branches"]
    detector: str
    energy: Energies
    time: Times | None = None
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
    """Simulation truth. Files without the process branch are read as data; with it they need the weight too."""

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

    _file: Path | None = PrivateAttr(default=None)

    @field_validator("track")
    @classmethod
    def _known_track_features(cls, track: dict[str, Scalar]) -> dict[str, Scalar]:
        if unknown := set(track) - set(TRACK_FEATURES):
            raise ValueError(f"unknown {', '.join(sorted(unknown))}; known are {', '.join(TRACK_FEATURES)}")
        if ("x" in track) != ("y" in track):
            raise ValueError("the impact point needs both x and y")
        return track

    @field_validator("columns")
    @classmethod
    def _free_column_names(cls, columns: dict[str, Scalar]) -> dict[str, Scalar]:
        if wrong := sorted(name for name in columns if name in RECORD_FIELDS or not name.isidentifier()):
            raise ValueError(
                f"{', '.join(wrong)}: column names are identifiers other than {', '.join(sorted(RECORD_FIELDS))}"
            )
        return columns

    @property
    def file(self) -> Path | None:
        """The file it was loaded from."""
        return self._file

    @property
    def where(self) -> str:
        """What to call the layout in messages: its file if it has one."""
        return str(self._file) if self._file else f"layout '{self.name}'"

    @property
    def hash(self) -> str:
        """Short hash of the content, for provenance."""
        return content_hash(self.model_dump(mode="json"))


@contextmanager
def blaming(place: str) -> Iterator[None]:
    """Name the place of a layout in the configuration errors that the body raises.

    Raises
    ------
    ConfigError
        If the body does.
    """
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"{place}: {error}") from error


def shipped_layouts() -> list[str]:
    """Return the names of the shipped layouts."""
    return sorted(path.stem for path in shipped("configs").glob(_LAYOUT_FILES))


def layout_beside(sample: Path) -> Path:
    """Return where the layout of a simulated sample lies: in its folder, as ``<stem>.layout.yaml``."""
    return sample.with_name(f"{sample.stem}.layout.yaml")


def load_layout(name: str) -> Layout:
    """Load a shipped layout by name, or any layout by the path of its YAML file.

    Raises
    ------
    ConfigError
        If there is no such layout or the file is wrong.
    """
    path = find_named(shipped("configs"), name, "layout", _LAYOUT_FILES)
    layout = load_model(Layout, path)
    layout._file = path
    return layout
