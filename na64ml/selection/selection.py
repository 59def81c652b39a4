"""Ordered cut flows over analysis variables, read from YAML."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from na64ml.errors import ConfigError
from na64ml.resources import shipped
from na64ml.selection.absent import AbsentInputError
from na64ml.selection.cuts import SCORE, Cut, CutInputs, Mask
from na64ml.selection.variables import check_variable, compute
from na64ml.selection.view import EventView
from na64ml.yaml_files import StrictModel, find_named, load_model

STATUS = "status"
"""Name of the status of the score: 0 scored, anything else not."""


@dataclass(frozen=True)
class Decisions:
    """What every cut says about every event, before the cuts are put in sequence.

    Parameters
    ----------
    kept, undefined
        bool ``[n_cuts, n_events]``: the event is kept by the cut; the cut is undefined for it.
    applicable
        bool ``[n_cuts]``: false for an optional cut whose inputs the events lack; it keeps everything.
    scored
        bool ``[n_events]``: the event has a score (status 0). True everywhere if no cut uses the score.
    """

    kept: Mask
    undefined: Mask
    applicable: Mask
    scored: Mask

    @property
    def passed(self) -> Mask:
        """Events that every cut keeps, bool ``[n_events]``; an event without a score is none of them."""
        return np.asarray(self.kept.all(axis=0) & self.scored, dtype=np.bool_)

    def surviving(self, signal: Mask) -> Mask:
        """Return what the selection leaves, bool ``[n_events]``: the events that passed, and those set aside.

        Events without a score are set aside: lost if they are signal; background and data survive unless a cut
        that is defined for them rejects them.

        Parameters
        ----------
        signal
            bool ``[n_events]``: the event is simulated signal.
        """
        aside = ~self.scored & ~signal & (self.kept | self.undefined).all(axis=0)
        return self.passed | aside


class Selection(StrictModel):
    """An ordered cut flow.

    Parameters
    ----------
    name, description
        What to call it, and where it comes from.
    cuts
        In the order they are applied.
    """

    name: str
    description: str = ""
    cuts: tuple[Cut, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check_cuts(self) -> "Selection":
        names = [cut.name for cut in self.cuts]
        repeated = {name for name in names if names.count(name) > 1}
        if repeated:
            raise ValueError(f"cut names must differ; repeated: {', '.join(sorted(repeated))}")
        for variable in self.variables:
            try:
                check_variable(variable, (SCORE,))
            except ConfigError as error:
                raise ValueError(str(error)) from error
        return self

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables needed, sorted."""
        return tuple(sorted(frozenset[str]().union(*(cut.variables for cut in self.cuts))))

    @property
    def uses_score(self) -> bool:
        """Whether a cut uses the score."""
        return SCORE in self.variables

    def apply(
        self,
        view: EventView,
        extra: Mapping[str, NDArray[Any]] | None = None,
        working_points: Mapping[str, float] | None = None,
    ) -> Decisions:
        """Evaluate every cut on every event.

        Parameters
        ----------
        view
            The events.
        extra
            ``score`` and ``status`` of the events, ``[n_events]``, if a cut uses the score.
        working_points
            Score thresholds by name.

        Raises
        ------
        ConfigError
            If a cut uses the score and there is none, or a working point or an element such as that of
            ``hcal_module:9`` is unknown.
        AbsentInputError
            If a cut that is not optional needs something the events do not have.
        """
        extra = dict(extra or {})
        if self.uses_score and SCORE not in extra:
            raise ConfigError(
                f"selection '{self.name}' cuts on the score, but the events have none; "
                "give a model, or a selection without it"
            )
        scored = np.ones(len(view), dtype=bool)
        if self.uses_score:
            scored = ~np.isnan(extra[SCORE]) & (np.asarray(extra.get(STATUS, 0)) == 0)
            extra[SCORE] = np.where(scored, extra[SCORE], np.nan)
        values: dict[str, NDArray[np.float64]] = {}
        kept = np.ones((len(self.cuts), len(view)), dtype=bool)
        undefined = np.zeros_like(kept)
        applicable = np.ones(len(self.cuts), dtype=bool)
        for row, cut in enumerate(self.cuts):
            try:
                values |= compute(sorted(cut.variables - values.keys()), view, extra)
                kept[row], undefined[row] = cut.evaluate(CutInputs(values, working_points or {}))
            except AbsentInputError as error:
                if not cut.optional:
                    raise AbsentInputError(f"selection '{self.name}', cut '{cut.name}': {error}") from error
                applicable[row] = False
            except ConfigError as error:
                raise ConfigError(f"selection '{self.name}', cut '{cut.name}': {error}") from error
        return Decisions(kept, undefined, applicable, scored)


def load_selection(name: str, folder: Path | None = None) -> Selection:
    """Load a selection by name, or any selection by the path of its YAML file.

    Parameters
    ----------
    name
        ``simple`` and the like, or a path that ends in ``.yaml``.
    folder
        Where to look names up; the selections of ``na64e_invisible`` by default.

    Raises
    ------
    ConfigError
        If there is no such selection or the file is wrong.
    """
    return load_model(Selection, find_selection(name, folder))


def find_selection(name: str, folder: Path | None = None) -> Path:
    """Return the file of a selection; parameters and errors as in `load_selection`."""
    return find_named(folder or shipped("configs") / "na64e_invisible" / "selection", name, "selection")
