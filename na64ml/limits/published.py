"""Published numbers that the suite quotes: background tables and limits, with their sources."""

from functools import cache
from pathlib import Path

from pydantic import Field, TypeAdapter, model_validator

from na64ml.errors import ConfigError
from na64ml.setups.sourced import Positive
from na64ml.yaml_files import StrictModel, read_yaml

CATALOG = Path(__file__).parent / "catalog"


class Term(StrictModel):
    """One printed number: a value with its uncertainty, or an upper bound."""

    value: float | None = Field(default=None, ge=0)
    error: float | None = Field(default=None, ge=0)
    below: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _one_form(self) -> "Term":
        if (self.value is None) == (self.below is None) or (self.value is None) != (self.error is None):
            raise ValueError("give value and error, or below")
        return self

    def __str__(self) -> str:
        return f"< {self.below:g}" if self.below is not None else f"{self.value:g} ± {self.error:g}"


class BackgroundTable(StrictModel):
    """A published background expectation, as printed.

    Parameters
    ----------
    exposure
        Particles on target that it holds for.
    terms, total
        By origin, and the printed total.
    source
        Tag of physics.md.
    """

    exposure: Positive
    terms: dict[str, Term]
    total: Term
    source: str

    @property
    def sum_of_terms(self) -> float:
        """Sum of the terms that are values, to be shown beside the printed total."""
        return sum(term.value for term in self.terms.values() if term.value is not None)


class PublishedLimit(StrictModel):
    """Published points of a limit: the edges of the excluded couplings at some masses (GeV)."""

    title: str
    coupling: str
    source: str
    mass: tuple[float, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...] | None = None


@cache
def background_tables() -> dict[str, BackgroundTable]:
    """Return the shipped background tables by name."""
    return TypeAdapter(dict[str, BackgroundTable]).validate_python(read_yaml(CATALOG / "backgrounds.yaml"))


@cache
def published_limits() -> dict[str, PublishedLimit]:
    """Return the shipped published limits by name."""
    return TypeAdapter(dict[str, PublishedLimit]).validate_python(read_yaml(CATALOG / "published_limits.yaml"))


def background_table(name: str) -> BackgroundTable:
    """Return a background table.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    known = background_tables()
    if name not in known:
        raise ConfigError(f"key 'published': unknown background table '{name}'; known are {', '.join(known)}")
    return known[name]


def published_limit(name: str) -> PublishedLimit:
    """Return a published limit.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    known = published_limits()
    if name not in known:
        raise ConfigError(f"key 'compare': unknown published limit '{name}'; known are {', '.join(known)}")
    return known[name]
