"""Analysis variables as the input of a classifier."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import InputError
from na64ml.events.batch import HIT_FEATURES
from na64ml.events.hits import blank_features
from na64ml.selection.absent import AbsentInputError
from na64ml.selection.variables import compute
from na64ml.selection.view import EventView, Floats

_POSITION = slice(0, 3)
_Z = slice(2, 3)
_TOLERANCE = 1e-2
"""mm; positions of channels are stored in single precision."""


def variable_table(names: Sequence[str], view: EventView) -> NDArray[np.float32]:
    """Return analysis variables as the columns of a table.

    Energies that are NaN or infinite give variables that are; such events are not scored.

    Parameters
    ----------
    names
        Such as ``ecal_energy`` or ``hits:ST03X``.
    view
        The events.

    Returns
    -------
    float32 ``[n_events, n_variables]``; NaN where a variable is undefined.

    Raises
    ------
    ConfigError
        If a name is unknown.
    AbsentInputError
        If the layout of the events does not provide what a variable needs; the message names the variable.
    InputError
        If the hits are not where the setup has its channels.
    """
    check_positions(view)
    table = np.empty((len(view), len(names)), dtype=np.float32)
    with np.errstate(all="ignore"):
        for column, name in enumerate(names):
            table[:, column] = _values(name, view)
    return table


def check_positions(view: EventView) -> None:
    """Check that hits lie where the setup has their channels.

    Networks see positions, analysis variables count channels: with the setup of other events, or without channel
    numbers, they would be wrong without a sign of it.

    Raises
    ------
    InputError
        Naming the first hit that lies elsewhere.
    """
    batch = view.batch
    for index, name in enumerate(batch.detectors):
        if name not in view.setup.detector_names:
            continue
        detector = view.setup.detector(name)
        columns = _Z if detector.kind == "tracker" else _POSITION
        rows = np.flatnonzero(batch.detector == index)
        channel = np.clip(batch.channel[rows], 0, detector.n_channels - 1)
        expected = blank_features(detector)[channel, columns]
        wrong = (np.abs(batch.hits[rows, columns] - expected) > _TOLERANCE).any(axis=1)
        if wrong.any():
            first = int(np.argmax(wrong))
            place = ", ".join(HIT_FEATURES[columns])
            raise InputError(
                f"a hit of {name} in channel {batch.channel[rows[first]]} has {place} = "
                f"{_text(batch.hits[rows[first], columns])} mm, setup '{view.setup.name}' has this channel at "
                f"{_text(expected[first])} mm; give the layout that the events were read with, and the channels of hits"
            )


def _values(name: str, view: EventView) -> Floats:
    try:
        return compute([name], view)[name]
    except AbsentInputError as error:
        raise AbsentInputError(f"analysis variable '{name}': {error}") from error


def _text(position: NDArray[np.float32]) -> str:
    return ", ".join(f"{value:.6g}" for value in position)
