"""Energies of one event in the channels of one detector."""

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import InputError
from na64ml.events.batch import EventBatch
from na64ml.setups.detectors import Detector


def channel_energies(event: EventBatch, detector: Detector) -> NDArray[np.float64]:
    """Return the energy of each channel in GeV, in the shape of the detector; NaN in channels without a hit.

    Parameters
    ----------
    event
        A batch of one event.
    detector
        The detector, whose name need not occur in the event.

    Raises
    ------
    InputError
        If the event has a channel that the detector has not.
    """
    energies = np.full(detector.n_channels, np.nan)
    if detector.name in event.detectors:
        mine = event.detector == event.detector_index(detector.name)
        highest = int(event.channel[mine].max(initial=-1))
        if highest >= detector.n_channels:
            raise InputError(
                f"the event has channel {highest} of {detector.name}, the setup has {detector.n_channels} "
                "channels; use the setup with which the events were read"
            )
        hits = np.bincount(event.channel[mine], minlength=detector.n_channels)
        sums = np.bincount(event.channel[mine], event.hits[mine, 3], minlength=detector.n_channels)
        energies = np.where(hits > 0, sums, np.nan)
    return energies.reshape(detector.shape)
