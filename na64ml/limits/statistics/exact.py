"""CLs for small counts: every possible outcome is enumerated, nothing is asymptotic."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammaln
from scipy.stats import poisson, qmc

from na64ml.errors import ConfigError
from na64ml.limits.production.target import Array
from na64ml.limits.statistics.counting import LEAST, Channel, rates, workspace

N_SHIFTS = 256
TAIL = 1e-6
MOST_OUTCOMES = 30_000
MOST_STEPS = 8
LEAST_LIKELY = 1e-3
"""Outcomes less likely than this without signal do not enter the expected limits."""


@dataclass(frozen=True, eq=False)
class ExactCounting:
    """All outcomes of a counting experiment in several channels, with nuisance parameters marginalised.

    Outcomes are ordered by the likelihood ratio of signal and background to background alone, the sum over channels of
    n ln(1 + s / b), as in the modified frequentist method of A. Read, J. Phys. G 28 (2002) 2693; the nuisance
    parameters follow their constraints (Cousins and Highland, Nucl. Instrum. Meth. A 320 (1992) 331).

    Parameters
    ----------
    signal, background
        Rates for each set of nuisance parameters, ``[n_shifts, n_channels]``; the first set is the nominal one.
    """

    signal: Array
    background: Array

    @classmethod
    def of(cls, channels: tuple[Channel, ...], yield_error: float) -> "ExactCounting":
        """Return the experiment of some channels; nuisances are drawn on a Sobol sequence."""
        specification = workspace(channels, yield_error)
        n_nuisances = 2 * len(channels) + 1
        varied = yield_error > 0 or any(one.efficiency_error > 0 or one.background_error > 0 for one in channels)
        shifts = np.zeros((1, n_nuisances))
        if varied:
            sampler = qmc.MultivariateNormalQMC(
                mean=np.zeros(n_nuisances), engine=qmc.Sobol(n_nuisances, seed=1, scramble=True)
            )
            shifts = np.concatenate([shifts, sampler.random(N_SHIFTS)])
        signal, background = rates(specification, shifts)
        return cls(signal, background)

    def cls_value(self, strength: float, observed: Array) -> float:
        """Return CLs of an outcome ``[n_channels]`` at a signal strength."""
        outcomes, weights = self._outcomes(strength, observed), self._weights(strength)
        order = outcomes @ weights
        at_most = order <= float(observed @ weights) * (1 + 1e-9) + 1e-12
        with_signal = self._probability(outcomes[at_most], strength).sum()
        without = self._probability(outcomes[at_most], 0.0).sum()
        return float(min(1.0, with_signal / without)) if without > 0 else 0.0

    def limit(self, observed: Array, cl: float) -> float:
        """Return the signal strength that is excluded at ``cl``, for an outcome ``[n_channels]``.

        Raises
        ------
        ConfigError
            If no strength in the range searched is excluded.
        """
        scale = 1.0 / float(self.signal[0].sum())

        def excess(logarithm: float) -> float:
            return self.cls_value(float(np.exp(logarithm)) * scale, observed) - (1 - cl)

        low, high = np.log(0.05), np.log(4.0 + 2.0 * float(observed.sum()))
        steps = 0
        while (above := excess(high)) > 0 and steps < MOST_STEPS:
            high, steps = high + 0.3, steps + 1
        if above > 0 or excess(low) < 0:
            raise ConfigError(
                f"no limit between 0.05 and {np.exp(high):.3g} signal events for {observed.tolist()} events observed; "
                "check background and observed"
            )
        return float(np.exp(brentq(excess, low, high, xtol=1e-4))) * scale

    def expected_limits(self, cl: float, quantiles: Array) -> Array:
        """Return quantiles of the limit among outcomes without signal."""
        limits, probability = self.limits_without_signal(cl)
        order = np.argsort(limits)
        cumulative = np.cumsum(probability[order]) / probability.sum()
        place = np.minimum(np.searchsorted(cumulative, quantiles), len(limits) - 1)
        return np.asarray(limits[order][place])

    def limits_without_signal(self, cl: float) -> tuple[Array, Array]:
        """Return the limit of each outcome that is likely without signal, and its probability."""
        outcomes = self._outcomes(0.0, np.zeros(self.background.shape[1]))
        probability = self._probability(outcomes, 0.0)
        kept = probability > LEAST_LIKELY
        return np.array([self.limit(one, cl) for one in outcomes[kept]]), probability[kept]

    def background_p_value(self, observed: Array) -> float:
        """Return the probability without signal of an outcome at least as signal-like, in the order of strength 1."""
        outcomes, weights = self._outcomes(1.0, observed), self._weights(1.0)
        below = outcomes @ weights < float(observed @ weights) * (1 - 1e-9) - 1e-12
        return float(np.clip(1 - self._probability(outcomes[below], 0.0).sum(), 0.0, 1.0))

    def _weights(self, strength: float) -> Array:
        """Return the weight of an event in each channel, of nominal rates."""
        return np.asarray(np.log1p(strength * self.signal[0] / np.maximum(self.background[0], LEAST)))

    def _outcomes(self, strength: float, observed: Array) -> Array:
        """Return all outcomes that matter, ``[n_outcomes, n_channels]``."""
        largest = (strength * self.signal + self.background).max(axis=0)
        most = np.maximum(poisson.isf(TAIL, largest), observed).astype(int)
        if np.prod(most + 1.0) > MOST_OUTCOMES:
            raise ConfigError(
                f"exact counting of {len(most)} periods with up to {most.tolist()} events has "
                f"{np.prod(most + 1.0):,.0f} outcomes, at most {MOST_OUTCOMES:,} are enumerated; join periods, or use "
                "method: toys"
            )
        grids = np.meshgrid(*(np.arange(n + 1) for n in most), indexing="ij")
        return np.stack([grid.ravel() for grid in grids], axis=1).astype(np.float64)

    def _probability(self, outcomes: Array, strength: float) -> Array:
        """Return the probability of each outcome, averaged over the nuisance parameters, ``[n_outcomes]``."""
        rate = strength * self.signal + self.background
        logarithm = outcomes @ np.log(np.maximum(rate, 1e-300)).T - rate.sum(axis=1)
        logarithm -= gammaln(outcomes + 1).sum(axis=1)[:, None]
        varied = slice(1, None) if len(rate) > 1 else slice(None)
        return np.asarray(np.exp(logarithm[:, varied]).mean(axis=1))
