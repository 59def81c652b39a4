"""How flat the signal efficiency of a score threshold is in the ECAL energy and in the dark-photon mass."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from na64ml.errors import InputError
from na64ml.evaluation.scored import ScoredEvents
from na64ml.evaluation.working_points import efficiency_above
from na64ml.selection.efficiency import Efficiency
from na64ml.selection.independent import weight_of_trials
from na64ml.selection.intervals import CONFIDENCE_LEVEL


@dataclass(frozen=True)
class Flatness:
    """Signal efficiency in bins of one quantity.

    Parameters
    ----------
    quantity
        ``ecal_energy`` or ``mass``, both in GeV.
    lower, upper
        Ends of the bins; equal for masses.
    efficiency
        Of each bin, relative to all its signal.
    probability
        Of differences as large as these if the efficiency is the same in all bins (Pearson's chi2, of effective
        counts for weighted events).
    """

    quantity: str
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    efficiency: tuple[Efficiency, ...]
    probability: float

    @property
    def spread(self) -> float:
        """Largest difference of the efficiency of two bins."""
        values = [item.value for item in self.efficiency]
        return max(values) - min(values)


def flatness_in_energy(
    scored: ScoredEvents, threshold: float, n_bins: int = 6, cl: float = CONFIDENCE_LEVEL
) -> Flatness:
    """Return the signal efficiency in ``n_bins`` bins of E_ECAL with equal numbers of signal events.

    Events without weight or whose energy is not a number do not count; there are fewer bins if there are not as many
    different energies.

    Raises
    ------
    InputError
        If no signal event counts.
    """
    signal = scored.of_class(scored.signal)
    signal = signal.select((signal.weight > 0) & np.isfinite(signal.ecal_energy))
    if len(signal) == 0:
        raise InputError("no signal event has a weight and an energy in the ECAL; evaluate a sample with signal")
    edges = np.unique(np.quantile(signal.ecal_energy, np.linspace(0, 1, n_bins + 1), method="lower"))
    edges = edges if len(edges) > 1 else np.repeat(edges, 2)
    number = np.clip(np.searchsorted(edges, signal.ecal_energy, side="right") - 1, 0, len(edges) - 2)
    return _flatness("ecal_energy", edges[:-1], edges[1:], signal, number, threshold, cl)


def flatness_in_mass(scored: ScoredEvents, threshold: float, cl: float = CONFIDENCE_LEVEL) -> Flatness:
    """Return the signal efficiency of each dark-photon mass.

    Raises
    ------
    InputError
        If a mass has no weight.
    """
    signal = scored.of_class(scored.signal)
    masses = scored.masses
    signal = signal.select(np.isin(signal.mass, masses))
    return _flatness("mass", masses, masses, signal, np.searchsorted(masses, signal.mass), threshold, cl)


def _flatness(
    quantity: str,
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    signal: ScoredEvents,
    number: NDArray[np.int64],
    threshold: float,
    cl: float,
) -> Flatness:
    bins = [signal.select(number == index) for index in range(len(lower))]
    found = tuple(efficiency_above(events, threshold, cl) for events in bins)
    counts = np.array([_effective_number(events) for events in bins])
    values = np.array([item.value for item in found])
    common = float(np.average(values, weights=counts))
    variance = common * (1 - common)
    statistic = float((counts * (values - common) ** 2).sum() / variance) if variance > 0 else 0.0
    return Flatness(
        quantity,
        tuple(lower.tolist()),
        tuple(upper.tolist()),
        found,
        float(chi2.sf(statistic, len(bins) - 1)) if len(bins) > 1 else 1.0,
    )


def _effective_number(events: ScoredEvents) -> float:
    """Return how many events of equal weight tell as much, where those of one leading shower count once."""
    weight = weight_of_trials(events.weight, events.group)
    return float(weight.sum() ** 2 / (weight @ weight))
