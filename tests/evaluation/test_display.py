import numpy as np
import pytest
from matplotlib.figure import Figure

from na64ml.errors import InputError
from na64ml.evaluation.display import display_event
from na64ml.evaluation.display.energies import channel_energies
from na64ml.events.batch import EventBatch
from na64ml.setups.channels import AXIS_BOTH
from na64ml.setups.setup import Setup, load_setup

ENERGIES = {
    ("ECAL", (1, 3, 3)): 31.5,
    ("ECAL", (0, 3, 3)): 2.25,
    ("HCAL", (0, 1, 1)): 3.5,
    ("SRD", (1,)): 0.0125,
}


@pytest.fixture(scope="module")
def setup() -> Setup:
    return load_setup("na64e_reference")


@pytest.fixture(scope="module")
def batch(setup: Setup) -> EventBatch:
    """An event without hits, and one with known energies and a hit in each projection of the first plane."""
    detectors = ("ECAL", "HCAL", "SRD", "MM")
    hits, detector, channel = [], [], []
    for (name, cell), energy in ENERGIES.items():
        number = int(np.ravel_multi_index(cell, setup.detector(name).shape))
        hits.append([*setup.detector(name).channels.position[number], energy, 0.0, AXIS_BOTH])
        detector.append(detectors.index(name))
        channel.append(number)
    for number, axis in ((0, 1), (1, 2)):
        hits.append([7.0, -9.0, setup.detector("MM").channels.position[number, 2], 0.0, np.nan, axis])
        detector.append(detectors.index("MM"))
        channel.append(number)
    return EventBatch(
        detectors=detectors,
        processes=("dark_photon", "beam_electron"),
        offsets=np.array([0, 0, len(hits)]),
        hits=np.array(hits, np.float32),
        detector=np.array(detector, np.int16),
        channel=np.array(channel, np.int16),
        ids=np.array([[6510, 3, 1], [6510, 3, 2]]),
        track=np.array([[np.nan] * 6, [99.0, 1e-3, 0.0, 4.0, 3.0, 1.1]], np.float32),
        process=np.array([-1, 1], np.int16),
        weight=np.ones(2),
    )


def texts(figure: Figure) -> str:
    axes = figure.get_axes()
    return "\n".join([item.get_text() for panel in axes for item in panel.texts] + [a.get_title() for a in axes])


def test_energies_are_in_their_channels(batch: EventBatch, setup: Setup) -> None:
    ecal = channel_energies(batch.select(np.array([1])), setup.detector("ECAL"))
    assert ecal.shape == (2, 6, 6)
    assert ecal[1, 3, 3] == 31.5
    assert np.count_nonzero(np.isfinite(ecal)) == 2
    assert np.isnan(channel_energies(batch.select(np.array([1])), setup.detector("VETO"))).all()


def test_energies_truth_and_score_are_printed(batch: EventBatch, setup: Setup) -> None:
    printed = texts(display_event(batch, setup, 1, score=1.234, status=2))
    for expected in (
        "run 6510  spill 3  event 2",
        "ECAL main: 31.50 GeV",
        "= 33.75 GeV",
        "SRD: 12.5 MeV",
        "truth: beam electron",
        "score = 1.234",
        "status: truncated",
        "angle = (1.00, 0.00) mrad",
    ):
        assert expected in printed, expected


def test_a_truth_line_replaces_the_process(batch: EventBatch, setup: Setup) -> None:
    printed = texts(display_event(batch, setup, 1, truth="K0L, 62 GeV"))
    assert "truth: K0L, 62 GeV" in printed
    assert "beam electron" not in printed


def test_hits_and_track_are_at_their_places(batch: EventBatch, setup: Setup) -> None:
    figure = display_event(batch, setup, 1)
    x_view, y_view = figure.get_axes()[-2:]
    for axes, expected, slope in ((x_view, 7.0, np.tan(1e-3)), (y_view, -9.0, 0.0)):
        points = [line.get_ydata() for line in axes.lines if line.get_marker() == "o"]
        assert np.concatenate(points).tolist() == [expected]
        track = np.asarray(next(line for line in axes.lines if line.get_label() == "track").get_ydata())
        first_z = min(setup.detector(name).channels.position[:, 2].min() for name in ("MM", "ST"))
        assert track[0] - track[-1] == pytest.approx(slope * first_z, abs=1e-3)


def test_an_event_without_hits_track_and_truth_is_drawn(batch: EventBatch, setup: Setup) -> None:
    printed = texts(display_event(batch, setup, 0))
    assert "0 hits" in printed
    assert "truth" not in printed


def test_events_of_another_setup_are_refused(batch: EventBatch) -> None:
    wrong = batch.select(np.array([1]))
    wrong.channel[0] = 70
    with pytest.raises(InputError, match="channel 70 of ECAL"):
        display_event(wrong, load_setup("na64e_2022"), 0)
