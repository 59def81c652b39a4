"""Hand-made events on the reference setup."""

from collections.abc import Callable

import numpy as np
import pytest

from na64ml.events.batch import EventBatch
from na64ml.selection.view import EventView
from na64ml.setups.conditions import Conditions, load_conditions
from na64ml.setups.setup import load_setup

Hit = tuple[str, int, float, float]
"""Detector, channel, energy (GeV) or tracker coordinate (mm), time (ns)."""

SETUP = load_setup("na64e_reference")
CONDITIONS = load_conditions("na64e_reference")
DETECTORS = ("SRD", "VHCAL", "ECAL", "VETO", "HCAL", "MM", "ST")


def channel(detector: str, *index: int) -> int:
    return int(np.ravel_multi_index(index, SETUP.detector(detector).shape))


def cell(detector: str, index: tuple[int, ...], energy: float, time: float = 0.0) -> Hit:
    return (detector, channel(detector, *index), energy, time)


def build_batch(
    events: list[list[Hit]],
    process: list[int] | None = None,
    processes: tuple[str, ...] = ("dark_photon", "electroproduction"),
    weight: list[float] | None = None,
    columns: dict[str, list[float]] | None = None,
    track: tuple[float, ...] = (100.0, 0.0, 0.0, 4.0, 3.0, 1.0),
    run: int = 6500,
) -> EventBatch:
    n = len(events)
    hits = [hit for event in events for hit in event]
    rows = np.zeros((len(hits), 6), dtype=np.float32)
    for row, (detector, number, value, time) in zip(rows, hits, strict=True):
        place = SETUP.detector(detector).channels
        row[:3] = place.position[number]
        row[5] = place.axis[number]
        if SETUP.detector(detector).kind == "tracker":
            row[number % 2], row[4] = value, np.nan
        else:
            row[3], row[4] = value, time
    return EventBatch(
        detectors=DETECTORS,
        processes=processes,
        offsets=np.cumsum([0, *(len(event) for event in events)]).astype(np.int64),
        hits=rows,
        detector=np.array([DETECTORS.index(hit[0]) for hit in hits], dtype=np.int16),
        channel=np.array([hit[1] for hit in hits], dtype=np.int16),
        ids=np.array([[run, i // 2, i] for i in range(n)], dtype=np.int64).reshape(-1, 3),
        track=np.tile(np.array(track, dtype=np.float32), (n, 1)),
        process=np.array(process if process is not None else [0] * n, dtype=np.int16),
        weight=np.array(weight if weight is not None else [1.0] * n),
        columns={name: np.array(values) for name, values in (columns or {}).items()},
    )


@pytest.fixture
def make_view() -> Callable[..., EventView]:
    def make(events: list[list[Hit]], absent: tuple[str, ...] = (), **options: object) -> EventView:
        return EventView(build_batch(events, **options), SETUP, CONDITIONS, absent)

    return make


@pytest.fixture
def at_beam_energy() -> Callable[[EventView, float], EventView]:
    """The same events of runs at another beam energy in GeV."""

    def at(view: EventView, energy: float) -> EventView:
        content = CONDITIONS.model_dump(mode="json", exclude={"digitisation"})
        content["ranges"][0]["beam_energy"] = {"value": energy, "source": "?: made up for tests"}
        return EventView(view.batch, SETUP, Conditions.model_validate(content))

    return at


@pytest.fixture
def hit() -> Callable[..., Hit]:
    return cell
