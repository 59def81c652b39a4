"""Recipes of shower libraries."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, PositiveInt, field_validator

from na64ml.resources import shipped
from na64ml.setups.sourced import AboveZero
from na64ml.simulation.class_path import ClassPath
from na64ml.yaml_files import StrictModel, content_hash, load_model


class LibraryRecipe(StrictModel):
    """A shower library to make.

    Parameters
    ----------
    name, description
        What it is called and what it is for.
    setup
        The detector; its target is what the showers enter.
    seed
        Of all random numbers.
    engine
        What transports the particles.
    showers
        Number of showers of each species, by PDG number.
    energy
        Lowest and highest kinetic energy in GeV; drawn uniformly in its logarithm.
    tiles
        Width in mm of the square tiles of each detector that is scored. Others are left out.
    shard_showers
        Showers made at once; part of the recipe, so that the result does not depend on the number of workers.

    Raises
    ------
    ValueError
        If the energies are reversed.
    """

    name: str
    description: str = ""
    setup: str
    seed: int = Field(ge=0)
    engine: ClassPath
    showers: Annotated[dict[int, PositiveInt], Field(min_length=1)]
    energy: tuple[AboveZero, AboveZero]
    tiles: Annotated[dict[str, AboveZero], Field(min_length=1)]
    shard_showers: PositiveInt = 100

    @field_validator("energy")
    @classmethod
    def _rising(cls, energy: tuple[float, float]) -> tuple[float, float]:
        if energy[0] >= energy[1]:
            raise ValueError("the lowest energy must be below the highest")
        return energy

    @property
    def hash(self) -> str:
        """Hash of the content."""
        return content_hash(self.model_dump(mode="json", exclude={"description"}))


def load_library_recipe(name_or_path: str) -> LibraryRecipe:
    """Load a library recipe by the path of its YAML file; ``shipped:NAME`` is one in ``datasets``.

    Raises
    ------
    ConfigError
        If there is none or the file is wrong.
    """
    shipped_name = name_or_path.removeprefix("shipped:")
    path = Path(name_or_path) if shipped_name == name_or_path else shipped("datasets") / f"{shipped_name}.yaml"
    return load_model(LibraryRecipe, path)
