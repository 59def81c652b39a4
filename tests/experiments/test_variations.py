import numpy as np
import pytest
from bakeoff.variations import ENERGY, dead_cells, no_plane, scaled, wider_showers

from na64ml.errors import InputError
from na64ml.events.batch import EventBatch
from na64ml.setups.setup import load_setup

SETUP = load_setup("na64e_reference")


def in_cells(events: EventBatch) -> np.ndarray:
    """Energy in the cells of the ECAL, summed over the events."""
    mine = events.detector == events.detector_index("ECAL")
    return np.bincount(events.channel[mine], weights=events.hits[mine, ENERGY])


def test_a_gain_changes_one_detector(few_events: EventBatch) -> None:
    changed = scaled(1.04)(few_events, SETUP)
    ecal = few_events.detector == few_events.detector_index("ECAL")
    assert np.allclose(changed.hits[ecal, ENERGY], 1.04 * few_events.hits[ecal, ENERGY])
    assert np.array_equal(changed.hits[~ecal], few_events.hits[~ecal], equal_nan=True)


def test_wider_showers_keep_the_energy_and_leave_the_brightest_cell(few_events: EventBatch) -> None:
    before, after = in_cells(few_events), in_cells(wider_showers(1.6)(few_events, SETUP))
    assert after.sum() == pytest.approx(before.sum(), rel=0.01)  # what falls below the readout threshold is lost
    assert after.max() == pytest.approx((1 - 0.6 * 0.14) * before.max(), rel=0.02)


def test_the_first_dead_cell_is_that_of_the_beam(few_events: EventBatch) -> None:
    before, after = in_cells(few_events), in_cells(dead_cells(slice(0, 1))(few_events, SETUP))
    assert after[np.argmax(before)] == 0
    assert np.array_equal(np.delete(after, np.argmax(before)), np.delete(before, np.argmax(before)))


def test_a_plane_that_is_not_there_is_an_error(few_events: EventBatch) -> None:
    assert no_plane(-1600.0)(few_events, SETUP).n_hits < few_events.n_hits
    with pytest.raises(InputError, match="no hit that it would take away"):
        no_plane(-1601.0)(few_events, SETUP)
