"""Signal efficiency at a given number of surviving background events, to compare a score with a cut flow."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import InputError
from na64ml.evaluation.bootstrap import resamples
from na64ml.selection.intervals import CONFIDENCE_LEVEL


@dataclass(frozen=True)
class SurvivorPoint:
    """Signal efficiency at a number of survivors, with the ends of its bootstrap interval."""

    efficiency: float
    threshold: float
    lo: float
    hi: float


def efficiency_at_survivors(
    signal_score: NDArray[np.float64],
    signal_pass: NDArray[np.bool_],
    background_score: NDArray[np.float64],
    background_pass: NDArray[np.bool_],
    survivors: int,
) -> tuple[float, float]:
    """Return the signal efficiency of the loosest threshold with at most ``survivors`` background events.

    Parameters
    ----------
    signal_score, background_score
        float64 ``[n_signal]``, ``[n_background]``; NaN where not scored: lost for signal, surviving for
        background.
    signal_pass, background_pass
        bool, same shapes: events inside the other cuts.
    survivors
        Number of background events (unweighted) that may pass the cuts and the threshold.

    Returns
    -------
    efficiency
        Signal that passes the cuts and has score >= ``threshold``, of all signal given.
    threshold
        -inf where the cuts alone leave no more than ``survivors``; +inf where more than that have no score.

    Raises
    ------
    InputError
        If there is no signal or ``survivors`` is negative.
    """
    evaluate = _prepare(signal_score, signal_pass, background_score, background_pass, survivors)
    return evaluate(np.ones(len(signal_score)), np.ones(len(background_score)))


def efficiency_at_survivors_interval(
    signal_score: NDArray[np.float64],
    signal_pass: NDArray[np.bool_],
    background_score: NDArray[np.float64],
    background_pass: NDArray[np.bool_],
    survivors: int,
    *,
    signal_group: NDArray[np.int64] | None = None,
    background_group: NDArray[np.int64] | None = None,
    n_resamples: int = 1000,
    seed: int = 0,
    cl: float = CONFIDENCE_LEVEL,
) -> SurvivorPoint:
    """Return `efficiency_at_survivors` with its percentile interval from a bootstrap over events.

    Signal and background are resampled separately and the threshold is set anew on each sample. Events of one group,
    such as one leading shower, are drawn together; see `~na64ml.evaluation.bootstrap.resamples`.

    Raises
    ------
    InputError
        As `efficiency_at_survivors`.
    """
    evaluate = _prepare(signal_score, signal_pass, background_score, background_pass, survivors)
    value, threshold = evaluate(np.ones(len(signal_score)), np.ones(len(background_score)))
    pairs = zip(
        resamples(len(signal_score), n_resamples, seed, signal_group),
        resamples(len(background_score), n_resamples, seed + 1, background_group),
        strict=True,
    )
    values = [evaluate(*counts)[0] for counts in pairs]
    lo, hi = np.quantile(values, [(1.0 - cl) / 2.0, (1.0 + cl) / 2.0])
    return SurvivorPoint(value, threshold, float(lo), float(hi))


def _prepare(
    signal_score: NDArray[np.float64],
    signal_pass: NDArray[np.bool_],
    background_score: NDArray[np.float64],
    background_pass: NDArray[np.bool_],
    survivors: int,
) -> Callable[[NDArray[np.float64], NDArray[np.float64]], tuple[float, float]]:
    """Return efficiency and threshold as a function of the multiplicities of signal and background events."""
    if len(signal_score) == 0 or survivors < 0:
        raise InputError(
            f"no signal efficiency of {len(signal_score)} signal events at {survivors} survivors; "
            "give signal events and survivors >= 0"
        )
    eligible = np.flatnonzero(background_pass)
    decision = np.where(np.isnan(background_score), np.inf, background_score)[eligible]
    order = np.argsort(-decision, kind="stable")
    eligible, decision = eligible[order], decision[order]

    def evaluate(signal: NDArray[np.float64], background: NDArray[np.float64]) -> tuple[float, float]:
        too_many = np.cumsum(background[eligible]) > survivors
        threshold = float(np.nextafter(decision[np.argmax(too_many)], np.inf)) if too_many.any() else -np.inf
        kept = signal_pass & (signal_score >= threshold)
        return float(signal[kept].sum() / signal.sum()), threshold

    return evaluate
