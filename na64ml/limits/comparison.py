"""A curve beside published points."""

from dataclasses import dataclass

import numpy as np

from na64ml.limits.curve import Curve
from na64ml.limits.published import PublishedLimit, published_limit


@dataclass(frozen=True)
class Ratio:
    """The curve over a published point; None where one of them excludes nothing or the mass is outside the curve."""

    mass: float
    edge: str
    published: float
    value: float | None

    @property
    def ratio(self) -> float | None:
        """Value over published."""
        return None if self.value is None else self.value / self.published


def compare(curve: Curve) -> dict[str, tuple[Ratio, ...]]:
    """Return the ratios to every published limit that the configuration names."""
    return {name: compare_points(curve, published_limit(name)) for name in curve.config.compare}


def compare_points(curve: Curve, published: PublishedLimit) -> tuple[Ratio, ...]:
    """Return the ratios at the published masses; the curve is interpolated in the logarithms."""
    ratios = []
    for edge, values in (("lower", published.lower), ("upper", published.upper or ())):
        for mass, value in zip(published.mass, values, strict=False):
            ratios.append(Ratio(mass, edge, value, _at(curve, mass, edge == "upper")))
    return tuple(ratios)


def _at(curve: Curve, mass: float, upper: bool) -> float | None:
    masses = np.array([point.mass for point in curve.points])
    if not masses[0] * 0.99 <= mass <= masses[-1] * 1.01:
        return None
    right = int(np.clip(np.searchsorted(masses, mass), 1, len(masses) - 1)) if len(masses) > 1 else 0
    values = []
    for point in (curve.points[max(right - 1, 0)], curve.points[right]):
        edges = point.central()
        value = None if edges is None else edges[int(upper)]
        if value is None:
            return None
        values.append(value)
    if len(masses) == 1:
        return values[0]
    place = np.log(masses[right - 1 : right + 1])
    return float(np.exp(np.interp(np.log(mass), place, np.log(values))))
