"""Cuts as trees of comparisons, evaluated in three-valued logic.

A comparison with an undefined value (NaN) is neither true nor false. ``all`` is false as soon as one part
is false, ``any`` true as soon as one is true, and undefined otherwise if a part is (Kleene's logic). A cut
keeps the events for which

- ``require``: the tree is true; undefined events fail,
- ``reject``: the tree is not true; undefined events stay.

Either way undefined events are counted, so that none passes or vanishes unseen.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator, Field, Tag, model_validator

from na64ml.errors import ConfigError
from na64ml.yaml_files import StrictModel

SCORE = "score"
"""Name of the score as a variable."""

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Truth:
    """Three-valued answer per event; an event that is neither true nor false is undefined.

    Parameters
    ----------
    true, false
        bool ``[n_events]``.
    """

    true: Mask
    false: Mask

    @property
    def undefined(self) -> Mask:
        """Events without an answer, bool ``[n_events]``."""
        return ~(self.true | self.false)


@dataclass(frozen=True)
class CutInputs:
    """What trees are evaluated on.

    Parameters
    ----------
    values
        Variables, float64 ``[n_events]`` by name.
    working_points
        Score thresholds by name.
    """

    values: Mapping[str, NDArray[np.float64]]
    working_points: Mapping[str, float]


class Comparison(StrictModel):
    """Bounds on one variable: ``min`` and ``max`` are inclusive, ``above`` and ``below`` exclusive.

    ``working_point`` is a named, inclusive lower bound on the score, known only at run time.
    """

    variable: str
    min: float | None = None
    max: float | None = None
    above: float | None = None
    below: float | None = None
    working_point: str | None = None

    @model_validator(mode="after")
    def _check_bounds(self) -> "Comparison":
        if all(bound is None for bound in (self.min, self.max, self.above, self.below, self.working_point)):
            raise ValueError("has no bound; give min, max, above, below or working_point")
        if self.working_point is not None and self.variable != SCORE:
            raise ValueError(f"working_point is for the variable '{SCORE}', not '{self.variable}'")
        return self

    def variables(self) -> Iterator[str]:
        """Yield the names of the variables used."""
        yield self.variable

    def evaluate(self, inputs: CutInputs) -> Truth:
        """Compare every event.

        Raises
        ------
        ConfigError
            If the working point is unknown.
        """
        value = inputs.values[self.variable]
        true = np.ones(len(value), dtype=bool)
        if self.min is not None:
            true &= value >= self.min
        if self.max is not None:
            true &= value <= self.max
        if self.above is not None:
            true &= value > self.above
        if self.below is not None:
            true &= value < self.below
        if self.working_point is not None:
            true &= value >= _threshold(self.working_point, inputs.working_points)
        defined = ~np.isnan(value)
        return Truth(true & defined, ~true & defined)


def _threshold(name: str, working_points: Mapping[str, float]) -> float:
    if name not in working_points:
        known = ", ".join(working_points) or "none"
        raise ConfigError(f"unknown working point '{name}'; the model has {known}")
    return working_points[name]


class AllOf(StrictModel):
    """True where every part is."""

    all: tuple["Tree", ...] = Field(min_length=1)

    def variables(self) -> Iterator[str]:
        """Yield the names of the variables used."""
        for part in self.all:
            yield from part.variables()

    def evaluate(self, inputs: CutInputs) -> Truth:
        """Combine the parts for every event."""
        parts = [part.evaluate(inputs) for part in self.all]
        return Truth(
            np.logical_and.reduce([part.true for part in parts]),
            np.logical_or.reduce([part.false for part in parts]),
        )


class AnyOf(StrictModel):
    """True where at least one part is."""

    any: tuple["Tree", ...] = Field(min_length=1)

    def variables(self) -> Iterator[str]:
        """Yield the names of the variables used."""
        for part in self.any:
            yield from part.variables()

    def evaluate(self, inputs: CutInputs) -> Truth:
        """Combine the parts for every event."""
        parts = [part.evaluate(inputs) for part in self.any]
        return Truth(
            np.logical_or.reduce([part.true for part in parts]),
            np.logical_and.reduce([part.false for part in parts]),
        )


class Not(StrictModel):
    """True where its part is false."""

    part: "Tree" = Field(alias="not")

    def variables(self) -> Iterator[str]:
        """Yield the names of the variables used."""
        yield from self.part.variables()

    def evaluate(self, inputs: CutInputs) -> Truth:
        """Negate the part for every event."""
        answer = self.part.evaluate(inputs)
        return Truth(answer.false, answer.true)


def _form(value: Any) -> str:
    if not isinstance(value, dict | StrictModel):
        return "comparison"  # whose error names what was given
    keys = value if isinstance(value, dict) else value.model_dump(by_alias=True)
    return next((form for form in ("all", "any", "not") if form in keys), "comparison")


Tree = Annotated[
    Annotated[AllOf, Tag("all")]
    | Annotated[AnyOf, Tag("any")]
    | Annotated[Not, Tag("not")]
    | Annotated[Comparison, Tag("comparison")],
    Discriminator(_form),
]
"""A comparison, or ``all``, ``any`` or ``not`` of trees."""


class Cut(StrictModel):
    """One step of a selection.

    Parameters
    ----------
    name
        Row title of the cut flow.
    require, reject
        The tree; exactly one of the two.
    source
        Where the cut comes from, with a tag of physics.md.
    optional
        Whether the cut is not applicable, instead of an error, to events whose layout lacks its inputs.
    """

    name: str
    require: Tree | None = None
    reject: Tree | None = None
    source: str | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _check_one_tree(self) -> "Cut":
        if (self.require is None) == (self.reject is None):
            raise ValueError("needs exactly one of the keys require and reject")
        return self

    @property
    def variables(self) -> frozenset[str]:
        """Names of the variables used."""
        return frozenset(name for tree in (self.require, self.reject) if tree for name in tree.variables())

    @property
    def uses_score(self) -> bool:
        """Whether the score is one of the variables."""
        return SCORE in self.variables

    def evaluate(self, inputs: CutInputs) -> tuple[Mask, Mask]:
        """Return which events are kept and for which the tree is undefined, bool ``[n_events]`` each."""
        if self.require is not None:
            answer = self.require.evaluate(inputs)
            return answer.true, answer.undefined
        if self.reject is not None:
            answer = self.reject.evaluate(inputs)
            return ~answer.true, answer.undefined
        raise ConfigError(f"cut '{self.name}' needs one of the keys require and reject")


for _model in (AllOf, AnyOf, Not, Cut):
    _model.model_rebuild()
