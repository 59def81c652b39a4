"""Boxes and rays: material along straight lines in any setup."""

import numpy as np
import pytest

from na64ml.setups.materials import interaction_lengths, radiation_lengths
from na64ml.setups.setup import load_setup, shipped_setups
from na64ml.simulation.engines.parametric.boxes import NO_CHANNEL, Axis, build_boxes
from na64ml.simulation.engines.parametric.rays import trace
from na64ml.simulation.engines.parametric.table import Table


def depths(boxes, origin, direction):
    rays = trace(boxes, np.array([origin], float), np.array([direction], float))
    return rays.radiation[0, -1], rays.interaction[0, -1], rays


@pytest.fixture(scope="module")
def boxes(reference, constants):
    return build_boxes(reference, constants)


def test_depth_along_the_axis_is_that_of_the_setup(reference, boxes):
    x0, lam, _ = depths(boxes, (-19.1, -19.1, -1), (0, 0, 1))
    ecal, hcal = reference.detector("ECAL"), reference.detector("HCAL")
    assert x0 == pytest.approx(
        radiation_lengths(ecal).sum() + radiation_lengths(hcal)[:3].sum() + 5 * 1.032 / 43.8, rel=1e-6
    )
    expected = interaction_lengths(ecal).sum() + interaction_lengths(hcal)[:3].sum() + 5 * 1.032 / 81.7
    assert lam == pytest.approx(expected, rel=1e-6)


def test_slanting_lines_are_longer_and_backward_ones_see_what_is_behind(boxes):
    straight, _, _ = depths(boxes, (0, 0, -1), (0, 0, 1))
    slanting, _, _ = depths(boxes, (0, 0, -1), (0.01, 0, np.sqrt(1 - 1e-4)))
    assert slanting == pytest.approx(straight / np.sqrt(1 - 1e-4), rel=1e-9)
    backward, _, rays = depths(boxes, (0, 0, 30.0), (0, 0, -1))
    assert backward == pytest.approx(10 * 1.5 / 5.612 + 10 * 1.5 / 424.4, rel=1e-3)
    assert rays.leave[0, 0] == pytest.approx(30)


def test_the_hole_is_open_and_the_ring_is_not(boxes):
    vhcal = 30 * (25 / 14.353 + 4 / 424.4)
    _, _, through = depths(boxes, (0, 0, -2000), (0, 0, 1))
    assert through.enter[0, 0] == pytest.approx(2000)
    _, _, ring = depths(boxes, (150, 0, -2000), (0, 0, 1))
    assert ring.enter[0, 0] == pytest.approx(830)
    assert ring.radiation[0, 1] == pytest.approx(vhcal, rel=1e-3)
    _, _, out_of_hole = depths(boxes, (0, 0, -1100), (0.2, 0, 1))
    assert 0 < out_of_hole.radiation[0, 1] < 0.7 * vhcal


def test_a_depth_is_found_where_it_was_summed(boxes):
    _, _, rays = depths(boxes, (-19.1, -19.1, -1), (0, 0, 1))
    step, path = rays.locate("radiation", np.array([radiation := 10.0]))
    assert step[0] == 1
    assert radiation == pytest.approx(
        rays.radiation[0, 1] + (path[0] - rays.enter[0, 1]) * rays.property("radiation", step)[0]
    )
    assert rays.locate("radiation", np.array([1e4]))[0][0] == -1


def test_points_find_their_channel(reference, boxes):
    """Every channel of a calorimeter without hole contains its own centre; photomultipliers share a strip."""
    for name, plane in (("ECAL", 2), ("VETO", 3)):
        detector = reference.detector(name)
        position = detector.channels.position
        for index, (x, y, z) in enumerate(position):
            found = [
                channel
                for grids in boxes.planes
                for grid in grids
                if (channel := int(grid.channel_at(np.array([x]), np.array([y]))[0])) in boxes.columns[name]
            ]
            assert boxes.columns[name][index] in found, (name, plane, index, z)
    assert (boxes.columns["VETO"][0::2] == boxes.columns["VETO"][1::2]).all()
    vhcal = next(grid for grids in boxes.planes for grid in grids if NO_CHANNEL in grid.channel)
    assert vhcal.channel_at(np.array([0.0, 61.0]), np.array([0.0, 0.0]))[0] == NO_CHANNEL
    assert vhcal.channel_at(np.array([0.0, 61.0]), np.array([0.0, 0.0]))[1] >= 0


@pytest.mark.parametrize("edges", [[-40.0, -10.0, 20.0, 50.0], [-40.0, -10.0, -5.0, 50.0]])
def test_cells_of_an_axis(edges):
    axis = Axis.of(np.array(edges))
    position = np.linspace(-90, 90, 1001) + 1e-3
    np.testing.assert_array_equal(axis.cell(position), np.searchsorted(edges, position))
    assert (axis.width > 0) == np.allclose(np.diff(edges), 30)


def test_what_has_no_channel_is_lost(boxes):
    table = Table(boxes, 2)
    table.add(np.array([0, 1, 1]), np.array([NO_CHANNEL, 0, boxes.n_channels - 1]), np.array([5.0, 1.0, 2.0]))
    sums = table.sums()
    assert sums.shape == (2, boxes.n_channels)
    assert sums[0].sum() == 0
    assert sums[1, 0] == 1
    assert sums[1, -1] == 2


@pytest.mark.parametrize("name", shipped_setups())
def test_every_shipped_setup_becomes_boxes(name, constants):
    setup = load_setup(name)
    built = build_boxes(setup, constants)
    assert (built.high > built.low).all()
    assert all(np.isfinite(values).all() for values in built.media.values())
    target = setup.target_calorimeter
    x0, _, _ = depths(built, (*target.segment_centre(0), target.segments[0].z_min - 1), (0, 0, 1))
    assert x0 >= radiation_lengths(target).sum() - 1e-9
