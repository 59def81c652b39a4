"""All numbers of an evaluation under stable, flat names."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from na64ml.evaluation.flatness import Flatness, flatness_in_energy, flatness_in_mass
from na64ml.evaluation.rejection import Rejection, rejection
from na64ml.evaluation.roc import auc_with_interval
from na64ml.evaluation.scored import SCORED, ScoredEvents
from na64ml.evaluation.working_points import (
    SIGNAL_EFFICIENCIES,
    efficiency_above,
    working_point,
    working_points,
)
from na64ml.selection.efficiency import Efficiency
from na64ml.selection.intervals import CONFIDENCE_LEVEL

Metrics = dict[str, float | int | bool | None]


def evaluate(
    scored: ScoredEvents,
    targets: Sequence[float] = SIGNAL_EFFICIENCIES,
    cl: float = CONFIDENCE_LEVEL,
    seed: int = 0,
    weighted: bool = True,
) -> Metrics:
    """Return the metrics of scored events, ready for JSON: no NaN, no infinity.

    Names, with ``C`` a class, ``M`` a dark-photon mass in GeV and ``E`` the target signal efficiency
    (``0.95``):

    - ``confidence_level``; ``weighted``; ``events/C``, ``independent/C`` (distinct leading showers, and events without
      one), ``weight/C``, ``not_scored/C``
    - ``auc/C`` with ``_lo``, ``_hi``
    - ``threshold@E``, ``is_reached@E``, ``signal_efficiency@E`` with ``_lo``, ``_hi``
    - ``spread/ecal_energy@E``, ``spread/mass@E``: largest difference of the signal efficiency of two bins of ECAL
      energy, of two masses, with ``_probability`` of differences as large if it is flat
    - ``background_efficiency/C@E`` with ``_lo``, ``_hi``, ``_survivors``
    - ``rejection/C@E`` with ``_lo``, ``_hi`` (None: unbounded), ``_is_limit`` (true: nothing survives, the
      value is a one-sided lower limit)
    - ``signal_efficiency/mass_M@E``: of that mass at the common threshold
    - ``threshold/mass_M@E`` and ``background_efficiency/C/mass_M@E``, ``rejection/C/mass_M@E`` and so on:
      with the threshold set on the signal of that mass alone

    Parameters
    ----------
    scored
        Events of all classes, none dropped. Backgrounds without weight have only ``events/C``,
        ``independent/C``, ``weight/C`` and ``not_scored/C``.
    targets
        Signal efficiencies of the working points.
    cl
        Confidence level of all intervals and limits.
    seed
        Seed of the bootstrap of ``auc/C``.
    weighted
        Whether events count with their weight; otherwise all count alike.

    Raises
    ------
    InputError
        If no signal event has a finite score and positive weight.
    """
    if not weighted:
        scored = replace(scored, weight=np.ones(len(scored)))
    metrics: Metrics = {"confidence_level": cl, "weighted": weighted}
    for name in scored.classes:
        events = scored.of_class(name)
        metrics[f"events/{name}"] = len(events)
        metrics[f"independent/{name}"] = events.n_independent
        metrics[f"weight/{name}"] = float(events.weight.sum())
        metrics[f"not_scored/{name}"] = int(np.count_nonzero(events.status != SCORED))
    for name in scored.backgrounds:
        area, lo, hi = auc_with_interval(scored, name, seed=seed, cl=cl)
        metrics |= {f"auc/{name}": area, f"auc/{name}_lo": lo, f"auc/{name}_hi": hi}

    backgrounds = {name: scored.of_class(name) for name in scored.backgrounds}
    points = working_points(scored, targets, cl)
    for point in points:
        at = f"@{point.target:g}"
        metrics |= {f"threshold{at}": point.threshold, f"is_reached{at}": point.is_reached}
        metrics |= _efficiency(point.signal_efficiency, f"signal_efficiency{at}")
        metrics |= _spread(flatness_in_energy(scored, point.threshold, cl=cl), at)
        if len(scored.masses):
            metrics |= _spread(flatness_in_mass(scored, point.threshold, cl), at)
        for name, events in backgrounds.items():
            metrics |= _rejection(rejection(events, point.threshold, cl), name, at)
    for mass in scored.masses:
        signal, suffix = scored.of_mass(mass), f"/mass_{mass:g}"
        for common in points:
            own = working_point(signal, common.target, cl)
            at = f"{suffix}@{common.target:g}"
            metrics |= _efficiency(efficiency_above(signal, common.threshold, cl), f"signal_efficiency{at}")
            metrics[f"threshold{at}"] = own.threshold
            for name, events in backgrounds.items():
                metrics |= _rejection(rejection(events, own.threshold, cl), name, at)
    return metrics


def _efficiency(value: Efficiency, name: str) -> Metrics:
    return {name: value.value, f"{name}_lo": value.lo, f"{name}_hi": value.hi}


def _spread(found: Flatness, at: str) -> Metrics:
    name = f"spread/{found.quantity}{at}"
    return {name: found.spread, f"{name}_probability": found.probability}


def _rejection(value: Rejection, background: str, at: str) -> Metrics:
    efficiency, inverse = f"background_efficiency/{background}{at}", f"rejection/{background}{at}"
    return {
        **_efficiency(value.background_efficiency, efficiency),
        f"{efficiency}_survivors": value.background_efficiency.survivors,
        inverse: value.value,
        f"{inverse}_lo": value.lo,
        f"{inverse}_hi": value.hi,
        f"{inverse}_is_limit": value.is_limit,
    }
