"""Background expectations of a period: published, estimated by the suite, extrapolated. They are never mixed."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from na64ml.errors import ConfigError
from na64ml.evaluation.scored import ScoredEvents
from na64ml.limits.published import background_table
from na64ml.limits.sideband import Sideband
from na64ml.selection.independent import weight_of_trials
from na64ml.selection.intervals import zero_survivor_yield
from na64ml.setups.sourced import NonNegative
from na64ml.yaml_files import StrictModel

Origin = Literal["published", "suite", "sideband", "given"]


@dataclass(frozen=True)
class Expectation:
    """Expected background events of one origin.

    Parameters
    ----------
    origin
        Which of the estimates it is.
    value, error
        Events and their uncertainty.
    is_limit
        Whether part of ``value`` is an upper limit because nothing survives.
    note
        How it came about.
    """

    origin: Origin
    value: float
    error: float
    is_limit: bool
    note: str


class SuiteEstimate(StrictModel):
    """Background from weighted simulation.

    Parameters
    ----------
    events
        File ``scored.npz`` of an evaluation.
    threshold
        Score that passes.
    ecal_below, hcal_below
        The box in GeV.
    per_particle
        Class to events per beam particle that a weight of 1 stands for: rate of the process over the number generated.
    """

    events: Path
    threshold: float
    ecal_below: float = Field(gt=0)
    hcal_below: float = Field(default=1.0, gt=0)
    per_particle: dict[str, NonNegative]

    def expectation(self, exposure: float) -> Expectation:
        """Return the sum over classes; a class without survivors enters with its 90 % limit as uncertainty.

        Where nothing survives, the limit is 2.30 times the largest weight that could have passed; of events from the
        same leading shower the weights are added first (physics.md 3.3).
        """
        scored = ScoredEvents.read(self.events)
        missing = [name for name in scored.backgrounds if name not in self.per_particle]
        if missing:
            raise ConfigError(
                f"{self.events}: key 'per_particle' has no entry for {', '.join(missing)}; every background class "
                "of the sample is needed"
            )
        value, squares, notes, limited = 0.0, 0.0, [], False
        for name in scored.backgrounds:
            scale = exposure * self.per_particle[name].value
            events = scored.of_class(name)
            passed = events.in_box(self.ecal_below, self.hcal_below) & (events.decision_score >= self.threshold)
            weights = _independent(events, passed)
            if len(weights):
                value += scale * weights.sum()
                squares += scale**2 * float(weights @ weights)
                notes.append(f"{name} {scale * weights.sum():.3g} from {len(weights)} independent survivors")
            else:
                bound = scale * zero_survivor_yield(float(_independent(events, np.ones(len(events), bool)).max()))
                squares += bound**2
                limited = True
                notes.append(f"{name} < {bound:.3g}")
        return Expectation("suite", value, float(np.sqrt(squares)), limited, "; ".join(notes))


class BackgroundEntry(StrictModel):
    """The background of a period.

    Parameters
    ----------
    use
        Which estimate enters the limit; the others are shown beside it.
    published
        Name of a published table; scaled to the exposure of the period.
    suite
        Estimate from weighted simulation.
    sideband
        Extrapolation from a sideband.
    given, given_error
        Events and their uncertainty stated in the configuration.
    """

    use: Origin
    published: str | None = None
    suite: SuiteEstimate | None = None
    sideband: Sideband | None = None
    given: NonNegative | None = None
    given_error: NonNegative | None = None

    @model_validator(mode="after")
    def _used_is_there(self) -> "BackgroundEntry":
        if getattr(self, self.use) is None:
            raise ValueError(f"use is '{self.use}', but there is no key '{self.use}'")
        if self.given_error is not None and self.given is None:
            raise ValueError("given_error without given")
        return self

    def expectations(self, exposure: float) -> dict[Origin, Expectation]:
        """Return every estimate that is given, side by side, for an exposure in particles on target."""
        found: dict[Origin, Expectation] = {}
        if self.published is not None:
            found["published"] = published_expectation(self.published, exposure)
        if self.suite is not None:
            found["suite"] = self.suite.expectation(exposure)
        if self.sideband is not None:
            central, statistical, systematic = self.sideband.extrapolate()
            note = f"± {statistical:.2g} (fit) ± {systematic:.2g} (fit range), {self.sideband.source}"
            found["sideband"] = Expectation("sideband", central, float(np.hypot(statistical, systematic)), False, note)
        if self.given is not None:
            error = self.given_error.value if self.given_error else 0.0
            found["given"] = Expectation("given", self.given.value, error, False, self.given.source)
        return found


def published_expectation(name: str, exposure: float) -> Expectation:
    """Return a published total, scaled to an exposure, with its printed arithmetic."""
    table = background_table(name)
    if table.total.value is None or table.total.error is None:
        raise ConfigError(f"background table '{name}' has no total")
    scale = exposure / table.exposure.value
    terms = ", ".join(f"{key} {term}" for key, term in table.terms.items())
    note = (
        f"{name}: {table.total} printed for {table.exposure.value:.3g} on target; {terms}; the terms add to "
        f"{table.sum_of_terms:.3f}; P(0 events) = {np.exp(-table.total.value):.2f}; {table.source}"
    )
    if abs(scale - 1) > 1e-9:
        note += f"; scaled by {scale:.3g}"
    return Expectation("published", table.total.value * scale, table.total.error * scale, False, note)


def _independent(events: ScoredEvents, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the summed weights of chosen events by leading shower, each event by itself where it has none."""
    survivors = events.select(chosen)
    weight = weight_of_trials(survivors.weight, survivors.group)
    return np.asarray(weight[weight > 0])
