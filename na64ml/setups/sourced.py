"""Numbers that know where they come from."""

from typing import Annotated, Any, Generic, TypeVar

from pydantic import Field, field_validator

from na64ml.yaml_files import StrictModel

T = TypeVar("T")

TAGS = ("V-seed", "V-abs", "V-code", "V-data", "C", "M-H", "M-M", "M-L", "?", "card")
"""Source tags: verified in slides, abstract, code or data; computed; from memory with high, medium or low
confidence; not recovered; stated by the card of a simulated dataset."""


class Sourced(StrictModel, Generic[T]):
    """A value with its source, written in YAML as ``{value: 38.2, source: V-code}``.

    Parameters
    ----------
    value
        The value, in GeV, mm or ns unless the key that holds it says otherwise.
    source
        One of `TAGS`, or several joined by `` + ``, optionally followed by ``: free text``.
    """

    value: T
    source: str

    @field_validator("source")
    @classmethod
    def _begins_with_a_tag(cls, source: str) -> str:
        unknown = [tag for tag in _tags(source) if tag not in TAGS]
        if unknown:
            raise ValueError(
                f"unknown source tag '{unknown[0]}'; begin with one of {', '.join(TAGS)}, "
                "join several with ' + ', and add ': text' to explain"
            )
        return source

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of the source, without the free text."""
        return _tags(self.source)


Finite = Annotated[float, Field(allow_inf_nan=False)]
AboveZero = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Whole = Annotated[int, Field(ge=1)]

# Pickling finds these classes only because each is made here, at the top level of a module.
Real = Sourced[Finite]
Positive = Sourced[AboveZero]
NonNegative = Sourced[Annotated[float, Field(ge=0, allow_inf_nan=False)]]
Fraction = Sourced[Annotated[float, Field(ge=0, le=1)]]
Share = Sourced[Annotated[float, Field(gt=0, le=1)]]
Count = Sourced[Whole]
Range = Sourced[tuple[int, int]]
Cell = Sourced[tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]]
Cells = Sourced[tuple[Whole, Whole]]
Pair = Sourced[tuple[Finite, Finite]]
Triple = Sourced[tuple[Finite, Finite, Finite]]
Widths = Sourced[tuple[AboveZero, AboveZero]]
BoxWidths = Sourced[tuple[AboveZero, AboveZero, AboveZero]]


def without_sources(content: Any) -> Any:
    """Return JSON-like ``content`` with every sourced value replaced by the bare value."""
    if isinstance(content, dict):
        if content.keys() == {"value", "source"}:
            return content["value"]
        return {key: without_sources(value) for key, value in content.items()}
    if isinstance(content, list):
        return [without_sources(value) for value in content]
    return content


def _tags(source: str) -> tuple[str, ...]:
    return tuple(source.partition(":")[0].strip().split(" + "))
