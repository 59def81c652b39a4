"""From a configuration to a curve: excluded couplings at every mass."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from na64ml.errors import ConfigError
from na64ml.limits.background import Expectation, Origin
from na64ml.limits.binned import EfficiencyTable
from na64ml.limits.config import LimitConfig, Period
from na64ml.limits.models.base import Coupling, SignalModel
from na64ml.limits.production.target import Array
from na64ml.limits.statistics.counting import Channel
from na64ml.limits.statistics.limit import StrengthLimit, discovery, strength_limit

N_COUPLINGS = 401
SHARE_DIGITS = 2
"""The limit on the signal events is computed once for each split among periods, to this number of digits."""

Edges = tuple[float, float | None]
"""Smallest excluded coupling, and largest if the region is closed."""


@dataclass(frozen=True)
class MassPoint:
    """The limit at one mass.

    Parameters
    ----------
    mass
        In GeV.
    observed, expected
        Excluded couplings, None where nothing is excluded; expected at -2, -1, 0, 1 and 2 standard deviations.
    most_events
        Largest number of signal events of any coupling in the range searched; None if it only grows.
    limit_events
        Signal events that are excluded, at the observed limit or the median expected one.
    """

    mass: float
    observed: Edges | None
    expected: tuple[Edges | None, ...]
    most_events: float | None
    limit_events: float

    def central(self) -> Edges | None:
        """Return the observed limit, or the median expected one where nothing was observed."""
        return self.observed if self.observed is not None else self.expected[2]


@dataclass(frozen=True, eq=False)
class PeriodInputs:
    """What a period contributed: efficiency, every background estimate, and the one that was used."""

    period: Period
    efficiency: EfficiencyTable
    backgrounds: dict[Origin, Expectation]

    @property
    def background(self) -> Expectation:
        """The estimate that entered the limit."""
        return self.backgrounds[self.period.background.use]

    def acceptance(self, mass: float, energy: Array) -> Array:
        """Return window times efficiency for energies in GeV."""
        inside = self.period.window.accepted(energy, self.period.beam.energy.value)
        return np.asarray(inside * self.efficiency.at(mass, energy))


@dataclass(frozen=True, eq=False)
class Curve:
    """The result: a point per mass, and what went in.

    Parameters
    ----------
    has_observation
        Whether events were counted; otherwise the curve is an expectation.
    significance
        p-value and significance of the counts against the background; None without counts.
    methods
        How the limits on signal events were computed.
    """

    config: LimitConfig
    model: SignalModel
    points: tuple[MassPoint, ...]
    inputs: tuple[PeriodInputs, ...]
    has_observation: bool
    significance: tuple[float, float] | None
    methods: tuple[str, ...]

    @property
    def coupling(self) -> Coupling:
        """The coupling of the curve."""
        return self.model.coupling

    @property
    def excluded(self) -> tuple[MassPoint, ...]:
        """Points where something is excluded."""
        return tuple(point for point in self.points if point.central() is not None)


def load_inputs(config: LimitConfig) -> tuple[PeriodInputs, ...]:
    """Return efficiency and backgrounds of all periods."""
    return tuple(
        PeriodInputs(
            period,
            period.efficiency.load(period.beam.energy.value),
            period.background.expectations(period.exposure.value),
        )
        for period in config.periods
    )


def compute_curve(
    config: LimitConfig,
    progress: Callable[[int], None] = lambda n: None,
    inputs: tuple[PeriodInputs, ...] | None = None,
) -> Curve:
    """Compute a curve.

    Parameters
    ----------
    progress
        Called with the number of masses that are done.
    inputs
        Efficiency and backgrounds, if they are there already.

    Raises
    ------
    ConfigError
        If a mass, beam or efficiency is outside its range, or a fit does not converge.
    """
    model = config.load_model()
    inputs = load_inputs(config) if inputs is None else inputs
    limits = LimitCache(config, inputs)
    couplings = np.geomspace(model.coupling.low, model.coupling.high, N_COUPLINGS)
    points = []
    for mass in config.mass_grid:
        events = expected_events(model, inputs, np.array([mass]), couplings)[:, 0]
        points.append(_point(float(mass), couplings, events, limits, bool(model.needs_flight)))
        progress(1)
    observed = all(one.period.observed is not None for one in inputs)
    channels = limits.channels(np.ones(len(inputs)))
    significance = discovery(channels, config.yield_error.value) if observed else None
    return Curve(config, model, tuple(points), inputs, observed, significance, limits.methods)


def expected_events(model: SignalModel, inputs: tuple[PeriodInputs, ...], masses: Array, couplings: Array) -> Array:
    """Return expected signal events, ``[n_periods, n_masses, n_couplings]``."""
    return np.array(
        [
            one.period.exposure.value
            * model.signal(masses, one.period.place).expected(masses, couplings, one.acceptance)
            for one in inputs
        ]
    )


class LimitCache:
    """Limits on the number of signal events, by their split among periods.

    Parameters
    ----------
    config, inputs
        Confidence level, method and uncertainties; backgrounds and counts.
    """

    def __init__(self, config: LimitConfig, inputs: tuple[PeriodInputs, ...]) -> None:
        self._config, self._inputs = config, inputs
        self._known: dict[tuple[float, ...], StrengthLimit] = {}

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods that were used."""
        return tuple(sorted({limit.method for limit in self._known.values()}))

    def channels(self, shares: Array) -> tuple[Channel, ...]:
        """Return the channels with the signal split by ``shares``, ``[n_periods]``."""
        return tuple(
            Channel(
                one.period.name,
                float(share),
                one.background.value,
                one.background.error,
                one.period.observed,
                one.efficiency.relative_error,
            )
            for one, share in zip(self._inputs, shares, strict=True)
        )

    def of(self, events: Array) -> StrengthLimit:
        """Return the limit on the total number of signal events that are split as ``events``, ``[n_periods]``."""
        shares = np.round(events / events.sum(), SHARE_DIGITS) if len(events) > 1 else np.ones(1)
        key = tuple(float(share) for share in shares / shares.sum())
        if key not in self._known:
            config = self._config
            self._known[key] = strength_limit(
                self.channels(np.array(key)), config.yield_error.value, config.confidence_level, config.method
            )
        return self._known[key]


def _point(mass: float, couplings: Array, events: Array, limits: LimitCache, decays: bool) -> MassPoint:
    """Return the limit at one mass from expected events ``[n_periods, n_couplings]``."""
    total = events.sum(axis=0)
    if not np.isfinite(total).all():
        raise ConfigError(f"mass {mass:g} GeV: the expected number of signal events is not finite; report the settings")
    near = np.flatnonzero(total > 0.1)
    if len(near) == 0:
        limit = limits.of(np.maximum(events[:, int(total.argmax())], 1e-300))
        return MassPoint(mass, None, (None,) * 5, float(total.max()), limit.expected[2])
    found = [limits.of(events[:, i]) for i in near]
    table = np.array([[one.observed if one.observed is not None else np.inf, *one.expected] for one in found])
    edges = [_edges(couplings[near], total[near] / column) for column in table.T]
    lower = edges[0] or edges[3]
    at = int(np.searchsorted(couplings[near], lower[0])) if lower else int(total[near].argmax())
    at = min(at, len(near) - 1)
    limit_events = float(table[at, 0] if np.isfinite(table[at, 0]) else table[at, 3])
    return MassPoint(mass, edges[0], tuple(edges[1:]), float(total.max()) if decays else None, limit_events)


def _edges(couplings: Array, ratio: Array) -> Edges | None:
    """Return where the ratio of expected to excluded events exceeds 1, interpolated in the logarithms."""
    logarithm, height = np.log(couplings), np.log(np.maximum(ratio, 1e-300))
    above = np.flatnonzero(height >= 0)
    if len(above) == 0:
        return None
    first, last = int(above[0]), int(above[-1])
    low = _crossing(logarithm, height, first - 1, first) if first > 0 else float(logarithm[0])
    high = float(np.exp(_crossing(logarithm, height, last, last + 1))) if last + 1 < len(height) else None
    return float(np.exp(low)), high


def _crossing(x: Array, y: Array, left: int, right: int) -> float:
    return float(x[left] - y[left] * (x[right] - x[left]) / (y[right] - y[left]))
