"""Weights of a cut flow by leading shower: events of one shower are one trial."""

import numpy as np
from numpy.typing import NDArray

from na64ml.selection.cuts import Mask
from na64ml.selection.efficiency import Trials


class ShowerTally:
    """Sums of the events of each leading shower, in some rows of a cut flow and by class.

    Parameters
    ----------
    n_rows
        Number of rows.
    """

    def __init__(self, n_rows: int) -> None:
        self._keys = np.zeros((0, 2), dtype=np.int64)
        self._sums = np.zeros((n_rows, 0, 3))

    def place(self, group: NDArray[np.int64], shower: NDArray[np.int64]) -> NDArray[np.int64]:
        """Make room for the events of a batch; return the place of the sums of each, -1 for those without a shower."""
        known = shower >= 0
        keys = np.concatenate([self._keys, np.column_stack([group, shower])[known]])
        distinct, inverse = np.unique(keys, axis=0, return_inverse=True)
        inverse, before = inverse.reshape(-1), len(self._keys)
        sums = np.zeros((len(self._sums), len(distinct), 3))
        sums[:, inverse[:before]] = self._sums
        self._keys, self._sums = distinct, sums
        place = np.full(len(group), -1, dtype=np.int64)
        place[known] = inverse[before:]
        return place

    def add(self, row: int, mask: Mask, place: NDArray[np.int64], weight: NDArray[np.float64]) -> None:
        """Add the events of a mask to a row."""
        mask = mask & (place >= 0)
        n_keys = self._sums.shape[1]
        for power in range(3):
            self._sums[row, :, power] += np.bincount(place[mask], weight[mask] ** power, minlength=n_keys)

    def __add__(self, other: "ShowerTally") -> "ShowerTally":
        """Return the sums of both sets of events."""
        total = ShowerTally(len(self._sums))
        for one in (self, other):
            place = total.place(*one._keys.T)
            total._sums[:, place] += one._sums
        return total

    def trials(
        self, row: int, start: int, group: int, left: NDArray[np.float64], all_: NDArray[np.float64], largest: float
    ) -> tuple[Trials, Trials]:
        """Return the trials of a class, unweighted and weighted.

        Parameters
        ----------
        row, start
            Row after the cut, and that of all events.
        group
            The class.
        left, all_
            Sums of weight^0, weight^1, weight^2 of all events of the class, also those without a shower, after the cut
            and at the start.
        largest
            Largest weight of an event.
        """
        mine = self._keys[:, 0] == group
        passed, total = self._sums[row, mine], self._sums[start, mine]
        singles, all_singles = (round(float(one[0] - by[:, 0].sum())) for one, by in ((left, passed), (all_, total)))
        rest = (left - passed.sum(axis=0)) * (singles > 0)  # differences of equal sums of weights may be off zero
        all_rest = (all_ - total.sum(axis=0)) * (all_singles > 0)

        def of_power(power: int, squares: int, largest: float) -> Trials:
            left_weight, weight = passed[:, power], total[:, power]
            failed, survives = weight - left_weight, rest[power] + left_weight.sum() > 0
            return Trials(
                total=all_singles + len(weight),
                survivors=singles * (rest[power] > 0) + np.count_nonzero(left_weight) if survives else 0,
                weight=float(all_rest[power] + weight.sum()),
                squares=float(all_rest[squares] + weight @ weight),
                largest=max(largest if all_singles else 0.0, float(weight.max(initial=0.0))),
                passed=float(rest[power] + left_weight.sum()),
                passed_squares=float(rest[squares] + left_weight @ left_weight),
                failed_squares=float(all_rest[squares] - rest[squares] + failed @ failed),
                mixed=float(left_weight @ failed),
            )

        return of_power(0, 0, 1.0), of_power(1, 2, largest)
