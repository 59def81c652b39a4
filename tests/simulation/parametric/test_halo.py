"""Soft particles around showers."""

import numpy as np
import pytest
from numpy.random import SeedSequence

from na64ml.setups.setup import load_setup
from na64ml.simulation.engines.parametric.boxes import build_boxes
from na64ml.simulation.engines.parametric.halo import Face, Halo
from na64ml.simulation.engines.parametric.table import Table
from na64ml.simulation.engines.parametric.transport import ParametricTransport
from na64ml.simulation.particles import Particles


def tiles(x, y, z, half, n):
    """Tiles of a square of some half width around a point, across z."""
    edges = np.linspace(-half, half, n + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    u, v = np.meshgrid(middle, middle, indexing="ij")
    centre = np.column_stack([x + u.ravel(), y + v.ravel(), np.full(n * n, z)]).astype(np.float32)
    return centre, np.full(n * n, (edges[1] - edges[0]) ** 2, np.float32)


@pytest.mark.parametrize(("axis", "x"), [(2, 0.0), (2, 150.0), (0, 250.0)])
def test_view_factors_are_lamberts_law(axis, x):
    """The share of directions, drawn by Lambert's law around the normal, that meet a square 300 mm away along z."""
    centre, area = tiles(x, 40.0, 300.0, 100.0, 10)
    outward = centre[:, axis].copy()
    face = Face(axis, 1, outward, centre, area, np.ones((len(area), 1), np.float32))
    found = float(face.view_factors(np.zeros((1, 3), np.float32)).sum())
    rng = np.random.default_rng(1)
    sine, azimuth = np.sqrt(rng.random(400_000)), rng.uniform(0, 2 * np.pi, 400_000)
    local = np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), np.sqrt(1 - sine**2)])
    direction = local if axis == 2 else local[[2, 1, 0]]
    path = 300 / np.where(direction[2] > 1e-6, direction[2], np.inf)
    hit = (np.abs(direction[0] * path - x) < 100) & (np.abs(direction[1] * path - 40) < 100) & (path > 0)
    assert found == pytest.approx(hit.mean(), rel=0.04)


def test_segments_of_one_calorimeter_are_one_body(reference, constants):
    boxes = build_boxes(reference, constants)
    halo = Halo(boxes, constants)
    own = np.unique(halo._body_of[halo._body_of >= 0])
    assert len(own) == len(halo._bodies) == 1 + 1 + len(reference.detector("HCAL").segments)
    ecal = next(body for body in halo._bodies if body.low[2] == 0)
    assert ecal.high[2] == 450
    seen = {name for name, index in boxes.columns.items() if np.isin(ecal.channel, index).any()}
    assert {"VHCAL", "VETO", "HCAL"} <= seen
    assert not np.isin(ecal.channel, boxes.columns["ECAL"]).any()
    beyond = boxes.columns["HCAL"][9:]
    assert not np.isin(ecal.channel, beyond).any(), "later modules lie behind the first"


def test_the_number_is_proportional_to_the_energy_and_falls_with_the_way_out(reference, constants):
    boxes = build_boxes(reference, constants)
    halo = Halo(boxes, constants)

    def veto(energy, x, n=4000):
        table, sources = Table(boxes, n), halo.sources(n)
        where = np.tile([x, -19.1, 100.0], (n, 1))
        box = np.full(n, int(np.flatnonzero((boxes.low[:, 2] < 100) & (boxes.high[:, 2] > 100))[0]))
        sources.add_showers(np.arange(n), box, where, np.full(n, energy))
        halo.deposit(sources, table, np.random.default_rng(1))
        return table.sums()[:, boxes.columns["VETO"][::2]].mean(axis=0)

    one, two = veto(50.0, -19.1), veto(100.0, -19.1)
    assert one.min() > 0
    np.testing.assert_allclose(two / one, 2, rtol=0.25)
    near = veto(100.0, 30.0)
    assert near[2] > 1.5 * two[2]
    assert near[0] < two[0] / 1.5


def test_beam_electrons_are_seen_in_the_counters_around_the_ecal(shoot):
    """Geant4, 200 beam electrons of 100 GeV: 33, 64 and 74 % are seen by the strips, and the VHCAL has 53 MeV."""
    deposits = shoot(11, 100.0, 400, x=4.0, y=3.0)
    strips = deposits.visible["VETO"].sum(axis=1)[:, ::2]
    seen = (strips > 1e-3).mean(axis=0)
    np.testing.assert_allclose(seen, [0.33, 0.64, 0.74], atol=0.2)
    assert seen[2] > seen[0]
    vhcal = deposits.visible["VHCAL"].sum(axis=(1, 2)) / 0.0262
    assert np.median(vhcal) == pytest.approx(0.053, rel=0.5)


def test_without_soft_particles_nothing_goes_backward(constants):
    setup = load_setup("na64e_reference")
    content = constants.model_dump()
    content["halo_showers"]["value"] = 0.0
    transport = ParametricTransport(setup, type(constants).model_validate(content))
    particles = Particles.build(np.arange(50), 11, [4, 3, -1.0], [0, 0, 100.0])
    assert transport.run(particles, 50, SeedSequence(1)).visible["VHCAL"].sum() == 0
