"""The CLs limit of combined periods, by the method that their counts allow."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyhf
from scipy.stats import norm

from na64ml.errors import ConfigError
from na64ml.limits.production.target import Array
from na64ml.limits.statistics.counting import LEAST, Channel, workspace
from na64ml.limits.statistics.exact import ExactCounting
from na64ml.selection.intervals import CONFIDENCE_LEVEL

Method = Literal["automatic", "exact", "toys", "asymptotic"]

SMALL = 10.0
"""Below so many expected events asymptotic formulas are not used (physics.md 4.7)."""

BANDS: Array = np.asarray(norm.cdf([-2, -1, 0, 1, 2]))
"""Quantiles of the expected limits."""

N_TOYS, N_STRENGTHS = 1000, 7


@dataclass(frozen=True)
class StrengthLimit:
    """A limit on the signal strength.

    Parameters
    ----------
    observed
        None without observed counts.
    expected
        Quantiles at -2, -1, 0, 1 and 2 standard deviations.
    method
        How it was computed.
    """

    observed: float | None
    expected: tuple[float, ...]
    method: str


def strength_limit(
    channels: tuple[Channel, ...],
    yield_error: float = 0.0,
    cl: float = CONFIDENCE_LEVEL,
    method: Method = "automatic",
) -> StrengthLimit:
    """Return the CLs limit on the signal strength of combined channels.

    ``automatic`` enumerates the outcomes where fewer than `SMALL` background events are expected, and is asymptotic
    (profile likelihood, pyhf) above.

    Raises
    ------
    ConfigError
        If asymptotic formulas are asked for with few events, a fit does not converge, or there is no signal.
    """
    total = sum(one.background for one in channels)
    if not sum(one.signal for one in channels) > 0:
        raise ConfigError(f"periods {', '.join(one.name for one in channels)}: no signal is expected; nothing to limit")
    if method == "automatic":
        method = "exact" if total < SMALL else "asymptotic"
    if method == "asymptotic":
        if total < SMALL:
            raise ConfigError(
                f"method asymptotic with {total:g} expected background events: below {SMALL:g} it gives limits "
                "that are too strong (1.4 to 1.6 events where 2.30 is right); use automatic, exact or toys"
            )
        return _asymptotic(channels, yield_error, cl)
    if method == "toys":
        return _toys(channels, yield_error, cl)
    experiment = ExactCounting.of(channels, yield_error)
    counts = observed_counts(channels)
    return StrengthLimit(
        observed=None if counts is None else experiment.limit(counts, cl),
        expected=tuple(map(float, experiment.expected_limits(cl, BANDS))),
        method="exact: outcomes enumerated, nuisance parameters marginalised",
    )


def observed_counts(channels: tuple[Channel, ...]) -> Array | None:
    """Return the observed counts ``[n_channels]``, None if no channel has any.

    Raises
    ------
    ConfigError
        If some channels have counts and others do not.
    """
    missing = [one.name for one in channels if one.observed is None]
    if len(missing) == len(channels):
        return None
    if missing:
        raise ConfigError(
            f"period {', '.join(missing)}: key 'observed' is missing while other periods have it; give it for all "
            "periods, or for none for an expected limit"
        )
    return np.array([one.observed for one in channels], dtype=np.float64)


def discovery(channels: tuple[Channel, ...], yield_error: float = 0.0) -> tuple[float, float]:
    """Return p-value of the background hypothesis and its significance in standard deviations.

    Raises
    ------
    ConfigError
        If the channels have no observed counts.
    """
    counts = observed_counts(channels)
    if counts is None:
        raise ConfigError("a discovery significance needs the key 'observed' of every period")
    if sum(one.background for one in channels) < SMALL:
        p_value = ExactCounting.of(channels, yield_error).background_p_value(counts)
    else:
        model, data = _model(channels, yield_error)
        p_value = float(_fit(pyhf.infer.hypotest, model, 0.0, data, model, test_stat="q0"))
    return p_value, float(norm.isf(p_value))


def _model(channels: tuple[Channel, ...], yield_error: float) -> tuple[pyhf.Model, list[float]]:
    model = pyhf.Model(workspace(channels, yield_error), poi_name="mu", clip_sample_data=LEAST)
    counts = observed_counts(channels)
    data = counts if counts is not None else np.array([one.background for one in channels])
    order = [model.config.channels.index(one.name) for one in channels]
    ordered = [float(data[order.index(i)]) for i in range(len(channels))]
    return model, ordered + model.config.auxdata


def _asymptotic(channels: tuple[Channel, ...], yield_error: float, cl: float) -> StrengthLimit:
    model, data = _model(channels, yield_error)
    most = sum(one.background for one in channels) + float(sum(one.observed or 0 for one in channels))
    high = (20.0 + 10.0 * np.sqrt(most) + most) / sum(one.signal for one in channels)
    model = _bounded(model, high)
    # pyhf 0.7.6: upper_limit without a scan ignores its level and always gives 95 % CL.
    observed, expected = _fit(
        pyhf.infer.intervals.upper_limits.toms748_scan, model, data, model, 0.0, high, level=1 - cl, rtol=1e-4
    )
    counts = observed_counts(channels)
    return StrengthLimit(
        None if counts is None else float(observed), tuple(map(float, expected)), "asymptotic: profile likelihood, pyhf"
    )


def _toys(channels: tuple[Channel, ...], yield_error: float, cl: float) -> StrengthLimit:
    """Scan the strength with pyhf toys; the limit is interpolated where CLs crosses.

    The range reaches from the limit for no event to that for two standard deviations more than expected or observed.
    """
    model, data = _model(channels, yield_error)
    most = max(sum(one.background for one in channels), sum(one.observed or 0 for one in channels))
    grid = np.geomspace(1.5, 5.0 + most + 3.0 * np.sqrt(most), N_STRENGTHS) / sum(one.signal for one in channels)
    model = _bounded(model, 3 * float(grid[-1]))
    values = np.array([_fit(_toy_cls, model, model, data, float(strength)) for strength in grid])
    crossings = [_crossing(grid, column, cl) for column in values.T]
    counts = observed_counts(channels)
    return StrengthLimit(None if counts is None else crossings[0], tuple(crossings[1:]), f"{N_TOYS} toys, pyhf")


def _toy_cls(model: pyhf.Model, data: list[float], strength: float) -> list[float]:
    """Return CLs of the data and its quantiles among toys without signal.

    The quantiles are taken here and not by pyhf 0.7.6, whose call of ``numpy.percentile`` NumPy 2.4 refuses.
    """
    np.random.seed(1)  # noqa: NPY002 (pyhf draws from the global generator)
    calculator = pyhf.infer.utils.create_calculator("toybased", data, model, ntoys=N_TOYS, track_progress=False)
    with_signal, without = calculator.distributions(strength)
    statistic = float(calculator.teststatistic(strength))
    toys = np.asarray(without.samples)

    def cls_value(value: float) -> float:
        below = float(without.pvalue(value))
        return float(with_signal.pvalue(value)) / below if below > 0 else 0.0

    return [cls_value(statistic), *np.quantile([cls_value(float(toy)) for toy in toys], BANDS)]


def _crossing(grid: Array, values: Array, cl: float) -> float:
    """Return where CLs falls to 1 - cl, interpolated in its logarithm; the end of the grid if it does not."""
    falling = np.minimum.accumulate(np.maximum(values, 1e-6))
    return float(np.exp(np.interp(-np.log(1 - cl), -np.log(falling), np.log(grid))))


def _bounded(model: pyhf.Model, high: float) -> pyhf.Model:
    """Return the model with the strength bounded to ``high``, so that fits find it."""
    model.config.param_set("mu").suggested_bounds = [(0.0, high)]
    return model


def _fit(function: Callable[..., Any], model: pyhf.Model, *arguments: object, **options: object) -> Any:
    """Call a pyhf function; a fit that does not converge is an error of the input.

    Minuit fits; it cannot where nothing is free once the strength is fixed, there scipy does.
    """
    backend, optimizer = pyhf.get_backend()
    try:
        pyhf.set_backend(backend, "minuit" if model.config.npars > 1 else "scipy")
        return function(*arguments, **options)
    except (pyhf.exceptions.FailedMinimization, RuntimeError) as error:
        raise ConfigError(
            f"the likelihood fit did not converge ({str(error).splitlines()[0]}); check background, its "
            "uncertainty and observed"
        ) from error
    finally:
        pyhf.set_backend(backend, optimizer)
