"""Where straight lines enter boxes with holes, and the symmetries of a square."""

import numpy as np
import pytest

from na64ml.setups.setup import load_setup
from na64ml.simulation.engines.library.entry import MISSED, find_entries
from na64ml.simulation.engines.library.symmetry import N_OPERATIONS, apply, fold, inverse_after
from na64ml.simulation.library.tiled import tiled_detector
from na64ml.simulation.particles import Particles

NAMES = ("VHCAL", "ECAL", "VETO", "HCAL")


@pytest.fixture(scope="module")
def detectors():
    return tuple(tiled_detector(load_setup("na64e_reference"), name) for name in NAMES)


@pytest.mark.parametrize(
    ("start", "momentum", "name", "z", "depth"),
    [
        ((0, 0, -1), (0, 0, 5), "ECAL", 0, 0),  # from the front face
        ((0, 0, -5000), (0.0, 0, 5), "ECAL", 0, 0),  # through the hole
        ((100, 0, -5000), (0, 0, 5), "VHCAL", -1170, 0),  # into the body
        ((0, 0, -1770), (0.5, 0, 5), "VHCAL", -1170, 0),  # exactly at the edge of the hole
        ((0, 0, -1670), (0.5, 0, 5), "VHCAL", -1070, 100),  # into the wall of the hole
        ((300, 0, -1270), (-0.5, 0, 5), "VHCAL", -770, 400),  # into the side from outside
        ((0, 0, -500), (1.0, 0, 5), "VETO", 550, 0),  # out of the hole at its end, and past the ECAL
        ((0, 0, 60), (0, 0.1, 5), "ECAL", 60, 60),  # starts inside
        ((0, 0, 60), (0, 0.1, -5), "ECAL", 60, 60),  # the same, backwards
        ((0, 0, 500), (0, 0, -5), None, np.inf, 0),  # backwards, towards the ECAL
        ((150, 0, -10), (0, 0, 5), "VETO", 550, 0),  # past the ECAL
        ((0, 0, 2150), (0, 0, 5), "HCAL", 2150, 1450),  # between modules counts as inside
        ((1000, 0, -10), (0, 0, 5), None, np.inf, 0),
    ],
)
def test_where_lines_enter(start, momentum, name, z, depth, detectors):
    entries = find_entries(Particles.build([0], 22, start, momentum), detectors)
    assert entries.detector[0] == (MISSED if name is None else NAMES.index(name))
    assert entries.z[0] == pytest.approx(z)
    assert entries.depth[0] == pytest.approx(depth)


def test_lines_go_straight(detectors):
    entries = find_entries(Particles.build([0, 1], 22, [[1, 2, -100]], [[0.1, -0.2, 1.0], [0, 0, 1.0]]), detectors)
    np.testing.assert_allclose(entries.at(0.0), [[11, -18], [1, 2]])
    np.testing.assert_allclose(entries.at(np.array([0.0, 50.0])), [[11, -18], [1, 2]])


def test_symmetries_are_a_group(rng):
    place = rng.normal(size=(1, 2))
    images = {tuple(apply(np.array([op]), place)[0].round(9)) for op in range(N_OPERATIONS)}
    assert len(images) == N_OPERATIONS
    first, second = (values.reshape(-1) for values in np.indices((8, 8)))
    both = apply(inverse_after(first, second), np.broadcast_to(place, (64, 2)))
    np.testing.assert_allclose(apply(second, both), apply(first, np.broadcast_to(place, (64, 2))))


@pytest.mark.parametrize(("mirror", "exchange"), [(True, True), (False, True), (True, False), (False, False)])
def test_folded_places_lie_on_one_side(mirror, exchange, rng):
    place = rng.normal(size=(200, 2))
    folded, op = fold(place, np.full(200, mirror), np.full(200, exchange))
    np.testing.assert_allclose(apply(op, place), folded)
    assert np.all(folded[:, 0] >= folded[:, 1]) or not exchange
    assert np.all(folded >= 0) or not mirror
    assert len(set(op)) == (4 if mirror else 1) * (2 if exchange else 1)
