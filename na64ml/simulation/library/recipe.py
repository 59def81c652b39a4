"""Recipes of shower libraries."""

from typing import Annotated, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

from na64ml.errors import ConfigError
from na64ml.resources import shipped_or_own
from na64ml.setups.setup import load_setup
from na64ml.setups.sourced import AboveZero
from na64ml.simulation.class_path import ClassPath
from na64ml.simulation.engines.base import Engine
from na64ml.simulation.library.tiled import check_start, library_setup
from na64ml.simulation.particles import properties
from na64ml.yaml_files import StrictModel, content_hash, read_yaml, validate

Energies = tuple[AboveZero, AboveZero]


class ShowerEntry(StrictModel):
    """Showers of one species that start at one place.

    Parameters
    ----------
    species
        PDG number.
    count
        Number of showers.
    entry
        Detector that they enter.
    depth
        Smallest and largest distance in mm behind its front face at which they start; drawn uniformly. By default they
        start just in front of it.
    spread
        Impacts are uniform over a square around the beam axis that reaches this many tiles to each side. A detector
        with a beam hole is hit all over instead.
    energy
        Lowest and highest kinetic energy in GeV, where they differ from those of the recipe.
    """

    species: int
    count: PositiveInt
    entry: str
    depth: tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(ge=0)]] = (0.0, 0.0)
    spread: PositiveInt = 1
    energy: Energies | None = None

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.depth[0] > self.depth[1]:
            raise ValueError(f"depth {list(self.depth)}: the smallest must not be above the largest")
        if self.energy is not None:
            _check_rising(self.energy)
        return self


class LibraryRecipe(StrictModel):
    """A shower library to make.

    Parameters
    ----------
    name, description
        What it is called and what it is for.
    setup
        The detector.
    seed
        Of all random numbers.
    engine
        What transports the particles.
    energy
        Lowest and highest kinetic energy in GeV; uniform in its logarithm, in equal steps.
    tiles
        Width in mm of the square tiles of each detector that is scored. Others are left out.
    dropped
        Share of the energy of a shower in one detector that its smallest tiles may hold to be left out; the largest
        tile gets what they hold, so that sums are exact.
    showers
        What is made.
    shard_showers
        Showers made at once; part of the recipe, so that the result does not depend on the number of workers.

    Raises
    ------
    ValueError
        If energies or depths are reversed.
    """

    name: str
    description: str = ""
    setup: str
    seed: int = Field(ge=0)
    engine: ClassPath
    energy: Energies
    tiles: Annotated[dict[str, AboveZero], Field(min_length=1)]
    dropped: Annotated[float, Field(ge=0, le=0.01)] = 1e-3
    showers: Annotated[tuple[ShowerEntry, ...], Field(min_length=1)]
    shard_showers: PositiveInt = 100

    @field_validator("energy")
    @classmethod
    def _energies_rise(cls, energy: Energies) -> Energies:
        return _check_rising(energy)

    @property
    def hash(self) -> str:
        """Hash of the content."""
        return content_hash(self.model_dump(mode="json", exclude={"description"}))

    def energy_of(self, entry: ShowerEntry) -> Energies:
        """Return the lowest and highest kinetic energy in GeV of an entry."""
        return entry.energy or self.energy

    def check(self) -> None:
        """Check everything that the recipe names.

        Raises
        ------
        ConfigError
            If the setup, a detector, the engine or a species does not exist or does not fit.
        """
        setup = load_setup(self.setup)
        self.engine.make(Engine)  # type: ignore[type-abstract]
        library_setup(setup, self.tiles)
        for number, entry in enumerate(self.showers):
            try:
                properties(entry.species)
                check_start(setup, self.tiles, entry.entry, entry.depth[1])
            except ConfigError as error:
                raise ConfigError(f"showers[{number}]: {error}") from error


def load_library_recipe(name_or_path: str) -> LibraryRecipe:
    """Load a library recipe by the path of its YAML file; ``shipped:NAME`` is one in ``datasets``.

    Raises
    ------
    ConfigError
        If there is none, the file is wrong, or it names what does not exist; the message names the file.
    """
    path = shipped_or_own(name_or_path, ".yaml")
    content = read_yaml(path)
    if "processes" in content and "showers" not in content:
        raise ConfigError(f"{path}: key 'processes': this is the recipe of a sample; leave out the option --library")
    recipe = validate(LibraryRecipe, content, path)
    try:
        recipe.check()
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return recipe


def _check_rising(energy: Energies) -> Energies:
    if energy[0] >= energy[1]:
        raise ValueError(f"energy {list(energy)}: the lowest must be below the highest")
    return energy
