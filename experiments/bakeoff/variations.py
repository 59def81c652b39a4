"""Changes of events that a network may meet in data and has not seen: gains, dead cells, wider showers, lost planes."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import InputError
from na64ml.events.batch import HIT_FEATURES, EventBatch
from na64ml.events.reader import EventReader
from na64ml.graphs.batch import pack
from na64ml.models.inputs import network_inputs
from na64ml.selection.mode import load_mode
from na64ml.setups.setup import Setup
from na64ml.training.augmentation import Augmentation
from na64ml.training.readout import readout_of

ENERGY = HIT_FEATURES.index("energy")
SEED = 1

Variation = Callable[[EventBatch, Setup], EventBatch]


def scaled(factor: float, detector: str = "ECAL") -> Variation:
    """Multiply all energies of a detector."""

    def vary(events: EventBatch, setup: Setup) -> EventBatch:
        return _times(events, np.where(events.detector == events.detector_index(detector), factor, 1.0))

    return vary


def gains_spread(spread: float) -> Variation:
    """Give every calorimeter and counter channel a wrong gain of its own, the same in all events."""

    def vary(events: EventBatch, setup: Setup) -> EventBatch:
        rng, factor = np.random.default_rng(SEED), np.ones(events.n_hits)
        for index, name in enumerate(events.detectors):
            if setup.detector(name).kind != "tracker":
                gain = 1 + spread * rng.standard_normal(len(setup.detector(name).channels.position))
                mine = events.detector == index
                factor[mine] = gain[events.channel[mine]]
        return _times(events, factor)

    return vary


def dead_cells(ranks: slice) -> Variation:
    """Lose cells of the main part of the ECAL, by rank of the energy that they see; the first is that of the beam."""

    def vary(events: EventBatch, setup: Setup) -> EventBatch:
        z = setup.detector("ECAL").channels.position[:, 2]
        ecal = events.detector == events.detector_index("ECAL")
        energy = np.bincount(events.channel[ecal], weights=events.hits[ecal, ENERGY], minlength=len(z))
        energy[z < z.max()] = 0
        return without(events, ecal & np.isin(events.channel, np.argsort(-energy)[ranks]))

    return vary


def wider_showers(factor: float) -> Variation:
    """Move energy of ECAL cells to their neighbours, as the augmentation does in training."""

    def vary(events: EventBatch, setup: Setup) -> EventBatch:
        reader, n = EventReader("na64e_reference"), len(events)
        batch = pack(events, np.arange(n), np.zeros(n, dtype=np.int64), np.ones(n, dtype=np.float32))
        wider = Augmentation(False, gain_spread=0, noise=0, tracker_loss=0, lateral_scale=(factor, factor))
        found = wider(batch, network_inputs(reader, load_mode("na64e_invisible")), readout_of(reader))
        return _with_hits(events, *(part.numpy() for part in (found.event, found.hits, found.detector, found.channel)))

    return vary


def no_outer_column(events: EventBatch, setup: Setup) -> EventBatch:
    """Lose the column of ECAL cells farthest from the beam: 5 x 6 cells, as the later detectors have."""
    x = setup.detector("ECAL").channels.position[:, 0]
    outer = np.isclose(x, x[np.argmax(np.abs(x))])
    ecal = events.detector == events.detector_index("ECAL")
    lost = ecal.copy()
    lost[ecal] = outer[events.channel[ecal]]
    return without(events, lost)


def no_plane(z: float) -> Variation:
    """Lose the tracker plane at ``z`` (mm)."""

    def vary(events: EventBatch, setup: Setup) -> EventBatch:
        kinds = np.array([setup.detector(name).kind == "tracker" for name in events.detectors])
        return without(events, kinds[events.detector] & np.isclose(events.hits[:, HIT_FEATURES.index("z")], z))

    return vary


def without(events: EventBatch, lost: NDArray[np.bool_]) -> EventBatch:
    """Return the events without some hits.

    Raises
    ------
    InputError
        If there is none to lose: the variation does not fit the setup.
    """
    if not lost.any():
        raise InputError("variation: the events have no hit that it would take away; change its place or channels")
    return _with_hits(events, events.event[~lost], events.hits[~lost], events.detector[~lost], events.channel[~lost])


def _with_hits(
    events: EventBatch,
    event: NDArray[np.int64],
    hits: NDArray[np.float32],
    detector: NDArray[np.integer],
    channel: NDArray[np.integer],
) -> EventBatch:
    """Return the events with other hits; ``event`` is that of each hit, sorted."""
    counts = np.bincount(event, minlength=len(events))
    return replace(
        events,
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        hits=hits,
        detector=detector.astype(events.detector.dtype),
        channel=channel.astype(events.channel.dtype),
    )


def _times(events: EventBatch, factor: NDArray[np.float64]) -> EventBatch:
    hits = events.hits.copy()
    hits[:, ENERGY] *= factor
    return replace(events, hits=hits)


VARIATIONS: Mapping[str, Variation] = {
    "nominal": lambda events, setup: events,
    "ECAL gain +4 %": scaled(1.04),
    "ECAL gain -4 %": scaled(0.96),
    "gain of every cell wrong by 4 %": gains_spread(0.04),
    "2 dead ECAL cells beside that of the beam": dead_cells(slice(1, 3)),
    "2 dead ECAL cells, that of the beam and its neighbour": dead_cells(slice(0, 2)),
    "showers 1.3 times as wide": wider_showers(1.3),
    "showers 1.6 times as wide": wider_showers(1.6),
    "ECAL 5 x 6": no_outer_column,
    "without tracker plane MM6": no_plane(-1800.0),
    "without tracker plane ST03": no_plane(-1600.0),
}
"""By name, for the tables."""
