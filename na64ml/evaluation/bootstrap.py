"""Bootstrap of whole groups of events, seeded."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from na64ml.selection.independent import trial_of_event
from na64ml.selection.intervals import CONFIDENCE_LEVEL


def resamples(
    n_events: int, n_resamples: int, seed: int, group: NDArray[np.int64] | None = None
) -> Iterator[NDArray[np.float64]]:
    """Yield how often each event is drawn, ``[n_events]``, for each bootstrap sample.

    Groups are drawn with replacement and bring all their events, so that the correlation inside a group is
    kept.

    Parameters
    ----------
    n_events
        Number of events.
    n_resamples
        Number of bootstrap samples.
    seed
        Seed of the random generator; the same seed gives the same samples.
    group
        int64 ``[n_events]``: events with the same value, such as the id of their leading shower, are drawn together;
        those with a negative one, and by default all, each by themselves.
    """
    rng = np.random.default_rng(seed)
    index = trial_of_event(n_events, group)
    n_groups = int(index.max()) + 1 if n_events else 0
    for _ in range(n_resamples):
        drawn = rng.integers(n_groups, size=n_groups) if n_groups else np.empty(0, np.int64)
        yield np.bincount(drawn, minlength=n_groups).astype(float)[index]


def bootstrap_interval(
    statistic: Callable[[NDArray[np.float64]], float],
    n_events: int,
    *,
    group: NDArray[np.int64] | None = None,
    n_resamples: int = 200,
    seed: int = 0,
    cl: float = CONFIDENCE_LEVEL,
) -> tuple[float, float]:
    """Return the central percentile interval of ``statistic`` over bootstrap samples.

    Parameters
    ----------
    statistic
        Function of the multiplicities ``[n_events]`` of one bootstrap sample.
    n_events, group, n_resamples, seed
        As in `resamples`.
    cl
        Confidence level of the interval.
    """
    values = [statistic(counts) for counts in resamples(n_events, n_resamples, seed, group)]
    lo, hi = np.quantile(values, [(1.0 - cl) / 2.0, (1.0 + cl) / 2.0])
    return float(lo), float(hi)
