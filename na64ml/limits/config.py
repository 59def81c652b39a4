"""The configuration of a limit: model, masses, periods, and what to write."""

from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from na64ml.errors import ConfigError
from na64ml.limits.background import BackgroundEntry
from na64ml.limits.efficiency import EfficiencyEntry
from na64ml.limits.models.base import Place, SignalModel
from na64ml.limits.production.target import Array, TargetName
from na64ml.limits.published import published_limit
from na64ml.limits.statistics.limit import Method
from na64ml.limits.window import Beam, Flight, Window
from na64ml.limits.working_point import WorkingPointChoice
from na64ml.resources import SHIPPED, shipped
from na64ml.selection.intervals import CONFIDENCE_LEVEL
from na64ml.setups.sourced import NonNegative, Positive
from na64ml.simulation.class_path import ClassPath
from na64ml.yaml_files import StrictModel, load_model

Plane = Literal["y", "delta_a_e", "delta_a_mu"]


class Masses(StrictModel):
    """Masses in GeV: a list, or ``n`` of them between ``low`` and ``high``, even in the logarithm."""

    values: tuple[float, ...] | None = None
    low: float | None = Field(default=None, gt=0)
    high: float | None = Field(default=None, gt=0)
    n: int = Field(default=50, ge=2, le=2000)

    @model_validator(mode="after")
    def _one_form(self) -> "Masses":
        if (self.values is None) == (self.low is None or self.high is None):
            raise ValueError("give values, or low and high")
        if self.values is not None and (len(self.values) == 0 or (np.diff(self.values) <= 0).any()):
            raise ValueError(f"values must rise and not be empty (found {list(self.values)})")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low {self.low:g} must be below high {self.high:g}")
        return self

    @property
    def array(self) -> Array:
        """The masses, ``[n]``, without published ones."""
        if self.values is not None:
            return np.array(self.values, dtype=np.float64)
        assert self.low is not None
        assert self.high is not None
        grid = np.geomspace(self.low, self.high, self.n)
        grid[0], grid[-1] = self.low, self.high
        return grid


class Period(StrictModel):
    """One run period: a channel of the combination.

    Parameters
    ----------
    name
        How it is called in all outputs.
    years
        First and last year; periods of one beam that share a year are counted twice and refused.
    beam, exposure
        Beam and particles on target.
    target, depth
        Material of the target, and its thickness in X0 for muons.
    window, flight
        Accepted energies; shield and decay region of models that decay.
    efficiency, background, observed
        Signal efficiency inside the window, background expectation, and events seen (none for a projection).
    """

    name: str
    years: tuple[int, int] | None = None
    beam: Beam
    exposure: Positive
    target: TargetName = "Pb"
    depth: Positive | None = None
    window: Window
    flight: Flight | None = None
    efficiency: EfficiencyEntry
    background: BackgroundEntry
    observed: int | None = Field(default=None, ge=0)

    @model_validator(mode="after")
    def _check(self) -> "Period":
        if self.window.missing_energy.value >= self.beam.energy.value:
            raise ValueError(
                f"window: missing_energy {self.window.missing_energy.value:g} GeV is not below the beam energy of "
                f"{self.beam.energy.value:g} GeV"
            )
        if self.years and self.years[0] > self.years[1]:
            raise ValueError(f"years: {self.years[0]} is after {self.years[1]}")
        if self.beam.particle == "mu-" and self.depth is None:
            raise ValueError("depth: the thickness of the target in X0 is needed for muons")
        return self

    @property
    def place(self) -> Place:
        """What a model needs to know."""
        depth = self.depth.value if self.depth else 0.0
        return Place(self.beam, self.target, depth, self.window, self.flight)


class WhatIf(StrictModel):
    """Changes to try, all else equal, at some masses (GeV)."""

    masses: tuple[float, ...] = Field(min_length=1)
    exposure_factors: tuple[float, ...] = (0.5, 1, 2, 5, 10)
    missing_energy: tuple[float, ...] = ()
    background: tuple[float, ...] = (0.0, 0.1, 0.5, 1, 2, 5)

    @model_validator(mode="after")
    def _check(self) -> "WhatIf":
        for key in ("exposure_factors", "missing_energy"):
            if any(not value > 0 for value in getattr(self, key)):
                raise ValueError(f"{key} must be above 0")
        if any(value < 0 for value in self.background):
            raise ValueError("background must be 0 or more")
        return self


class LimitConfig(StrictModel):
    """A limit to compute.

    Parameters
    ----------
    name, description
        What it is called and what it is.
    model
        Signal model, by class path.
    masses
        Where the curve is computed.
    periods
        Run periods, combined.
    yield_error
        Relative uncertainty of the yield, shared by all periods.
    confidence_level, method
        Of the limit; see `~na64ml.limits.statistics.limit.strength_limit`.
    planes
        Further planes in which the curve is written.
    compare
        Published limits drawn and compared.
    projections
        Names of future exposures, to which the curve is scaled.
    what_if
        Changes to try.
    working_point
        Score threshold to choose by the expected limit.
    """

    name: str
    description: str = ""
    model: ClassPath
    masses: Masses
    periods: tuple[Period, ...] = Field(min_length=1)
    yield_error: NonNegative
    confidence_level: float = Field(default=CONFIDENCE_LEVEL, ge=0.5, lt=1)
    method: Method = "automatic"
    planes: tuple[Plane, ...] = ()
    compare: tuple[str, ...] = ()
    projections: tuple[str, ...] = ()
    what_if: WhatIf | None = None
    working_point: WorkingPointChoice | None = None

    @model_validator(mode="after")
    def _periods_agree(self) -> "LimitConfig":
        names = [period.name for period in self.periods]
        if len(set(names)) < len(names):
            raise ValueError(f"periods: a name occurs twice among {', '.join(names)}")
        for i, one in enumerate(self.periods):
            for other in self.periods[i + 1 :]:
                if one.beam.particle == other.beam.particle and _share_years(one, other):
                    raise ValueError(
                        f"periods: '{one.name}' and '{other.name}' share years, their exposure would count twice"
                    )
        observed = [period.observed is not None for period in self.periods]
        if any(observed) and not all(observed):
            missing = ", ".join(period.name for period in self.periods if period.observed is None)
            raise ValueError(f"periods: key 'observed' is missing in {missing} while other periods have it")
        return self

    @property
    def mass_grid(self) -> Array:
        """Masses of the curve in GeV, ``[n]``: those asked for, and published ones between them.

        A published point is then compared with the curve itself and not with an interpolation.
        """
        asked = self.masses.array
        published = [mass for name in self.compare for mass in published_limit(name).mass]
        inside = [mass for mass in published if asked[0] < mass < asked[-1]]
        return np.unique(np.concatenate([asked, inside]))

    def load_model(self) -> SignalModel:
        """Return the signal model, after checking that masses and beams are in its range.

        Raises
        ------
        ConfigError
            If a mass or a beam is outside, or a period lacks what the model needs.
        """
        model = self.model.make(SignalModel)  # type: ignore[type-abstract]
        check_masses(model, self.masses.array, "masses")
        for period in self.periods:
            if period.beam.particle not in model.beams:
                raise ConfigError(
                    f"period '{period.name}': key 'beam.particle': {type(model).__name__} is not made by "
                    f"{period.beam.particle}; allowed are {', '.join(model.beams)}"
                )
            if model.needs_flight and period.flight is None:
                raise ConfigError(
                    f"period '{period.name}': key 'flight' is missing; {type(model).__name__} decays, give shield and "
                    "region in mm"
                )
        return model


def _share_years(one: Period, other: Period) -> bool:
    if one.years is None or other.years is None:
        return False
    return max(one.years[0], other.years[0]) <= min(one.years[1], other.years[1])


def check_masses(model: SignalModel, masses: Array, key: str) -> None:
    """Check that masses are in the range of a model.

    Raises
    ------
    ConfigError
        If not, with the allowed range.
    """
    low, high = model.masses
    outside = masses[~((masses >= low * (1 - 1e-9)) & (masses <= high * (1 + 1e-9)))]
    if len(outside):
        raise ConfigError(
            f"key '{key}': {outside[0]:g} GeV is outside the range of {type(model).__name__}, {low:.4g} to "
            f"{high:.4g} GeV"
        )


def load_limit(name: str) -> LimitConfig:
    """Load a configuration by path, or a shipped one as ``shipped:MODE/NAME``.

    Raises
    ------
    ConfigError
        If it cannot be read or is wrong.
    """
    if not name.startswith(SHIPPED):
        return load_model(LimitConfig, Path(name))
    folder = shipped("configs")
    known = {f"{path.parents[1].name}/{path.stem}": path for path in sorted(folder.glob("*/limits/*.yaml"))}
    wanted = name.removeprefix(SHIPPED)
    if wanted not in known:
        raise ConfigError(f"unknown limit '{wanted}'; shipped are: {', '.join(known)}; or give the path of a YAML file")
    return load_model(LimitConfig, known[wanted])
