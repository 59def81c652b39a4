"""Background in the signal region from an exponential fitted to a sideband, with the fit range as a systematic."""

import numpy as np
from iminuit import Minuit
from iminuit.cost import ExtendedBinnedNLL
from pydantic import Field, model_validator

from na64ml.errors import ConfigError
from na64ml.limits.production.target import Array
from na64ml.yaml_files import StrictModel


class Sideband(StrictModel):
    """Counts in a sideband and where to extrapolate them to.

    Parameters
    ----------
    edges, counts
        Histogram of the sideband: bin edges in GeV and events.
    signal
        Limits of the signal region in GeV.
    ranges
        Fit ranges in GeV; the first gives the central value, the largest deviation of the others is the systematic
        uncertainty (as in arXiv:2503.11275).
    source
        Where the counts come from.
    """

    edges: tuple[float, ...] = Field(min_length=4)
    counts: tuple[float, ...]
    signal: tuple[float, float]
    ranges: tuple[tuple[float, float], ...] = Field(min_length=2)
    source: str

    @model_validator(mode="after")
    def _check(self) -> "Sideband":
        if len(self.counts) != len(self.edges) - 1:
            raise ValueError(f"counts: {len(self.edges) - 1} are needed for {len(self.edges)} edges")
        if (np.diff(self.edges) <= 0).any() or self.signal[0] >= self.signal[1]:
            raise ValueError("edges and signal must rise")
        if any(not (np.isfinite(count) and count >= 0) for count in self.counts):
            raise ValueError("counts must be finite and 0 or more")
        for low, high in self.ranges:
            if low < self.signal[1] and high > self.signal[0]:
                raise ValueError(f"ranges: {low:g} to {high:g} GeV overlaps the signal region")
            if low < self.edges[0] or high > self.edges[-1]:
                raise ValueError(f"ranges: {low:g} to {high:g} GeV is outside the edges")
        return self

    def extrapolate(self) -> tuple[float, float, float]:
        """Return expected events in the signal region, their uncertainty from the fit and from the fit range.

        Raises
        ------
        ConfigError
            If a fit does not converge.
        """
        fits = [self._fit(low, high) for low, high in self.ranges]
        central, error = fits[0]
        return central, error, max(abs(value - central) for value, _ in fits[1:])

    def _fit(self, low: float, high: float) -> tuple[float, float]:
        edges, counts = np.array(self.edges), np.array(self.counts)
        used = (edges[:-1] >= low - 1e-9) & (edges[1:] <= high + 1e-9)
        if used.sum() < 3 or counts[used].sum() == 0:
            raise ConfigError(
                f"sideband: the fit range {low:g} to {high:g} GeV has {used.sum()} bins with "
                f"{counts[used].sum():g} events; three bins and at least one event are needed"
            )
        bins = np.append(edges[:-1][used], edges[1:][used][-1])
        pivot = float(bins.mean())

        def integral(x: Array, logarithm: float, slope: float) -> Array:
            """Integral of exp(logarithm + slope (x - pivot)) up to x."""
            rate = slope if abs(slope) > 1e-9 else 1e-9
            return np.asarray(np.exp(np.clip(logarithm + rate * (x - pivot), -700, 700)) / rate)

        start = np.log(counts[used].sum() / (bins[-1] - bins[0]))
        fit = Minuit(ExtendedBinnedNLL(counts[used], bins, integral), logarithm=start, slope=0.05)
        fit.limits["slope"] = (-2.0, 2.0)
        fit.migrad()
        fit.hesse()
        if not fit.valid or fit.covariance is None:
            raise ConfigError(
                f"sideband: the fit from {low:g} to {high:g} GeV did not converge; choose another range in key 'ranges'"
            )
        region = np.array(self.signal)

        def inside(values: Array) -> float:
            return float(np.diff(integral(region, *values))[0])

        values, step = np.array(fit.values), 1e-4
        gradient = [(inside(values + step * unit) - inside(values - step * unit)) / (2 * step) for unit in np.eye(2)]
        return inside(values), float(np.sqrt(np.array(gradient) @ np.array(fit.covariance) @ np.array(gradient)))
