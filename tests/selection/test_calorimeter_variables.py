import dataclasses

import numpy as np
import pytest

from na64ml.errors import ConfigError
from na64ml.selection.shower_shape import ShowerShape, expected_fractions, shower_chi2
from na64ml.selection.variables import compute


@pytest.fixture
def shower(make_view, hit):
    """One event: 8 GeV in the beam cell, 2 GeV to its right, 0.5 GeV preshower; and one without hits."""
    event = [hit("ECAL", (1, 3, 3), 8.0), hit("ECAL", (1, 4, 3), 2.0), hit("ECAL", (0, 3, 3), 0.5)]
    return make_view([event, []])


def value(view, name, event=0):
    return compute([name], view)[name][event]


def test_energies(shower):
    assert value(shower, "ecal_energy") == 10.5
    assert value(shower, "prs_energy") == 0.5
    assert value(shower, "prs_fraction") == pytest.approx(0.5 / 10.5)


def test_share_of_the_beam_energy_is_that_of_the_run(shower, at_beam_energy):
    assert value(shower, "ecal_beam_fraction") == pytest.approx(0.105)
    assert value(at_beam_energy(shower, 50.0), "ecal_beam_fraction") == pytest.approx(0.21)


def test_shape(shower):
    assert value(shower, "ecal_max_ix") == 3
    assert value(shower, "ecal_max_is_impact") == 1
    assert value(shower, "ecal_max_fraction") == pytest.approx(8.5 / 10.5)
    assert value(shower, "ecal_neighbour_fraction") == pytest.approx(2.0 / 8.5)
    share = 2.0 / 10.5
    assert value(shower, "ecal_width_x") == pytest.approx(38.2 * np.sqrt(share * (1 - share)))
    assert value(shower, "ecal_width_y") == pytest.approx(0, abs=1e-9)
    assert value(shower, "ecal_radius") == pytest.approx(38.2 * 2 * share * (1 - share))
    # the centroid is at (38.2 share, 0) since cell (3, 3) is centred on the beam axis; the track at (4, 3)
    assert value(shower, "shower_track_distance") == pytest.approx(np.hypot(38.2 * share - 4, 3))


@pytest.mark.parametrize(
    "name",
    [
        "prs_fraction",
        "ecal_max_ix",
        "ecal_max_is_impact",
        "ecal_neighbour_fraction",
        "ecal_width_x",
        "ecal_radius",
    ],
)
def test_shape_is_undefined_without_energy(shower, name):
    assert np.isnan(value(shower, name, event=1))
    assert value(shower, "ecal_energy", event=1) == 0


def test_neighbours_at_the_edge_do_not_wrap(make_view, hit):
    view = make_view([[hit("ECAL", (1, 0, 0), 8.0), hit("ECAL", (1, 5, 5), 7.0)]])
    assert value(view, "ecal_neighbour_fraction") == 0
    assert value(view, "ecal_max_is_impact") == 0


def test_chi2_vanishes_for_the_expected_shower_and_grows_with_a_displaced_one(make_view, hit):
    def chi2_of(track):
        expected = expected_fractions(make_view([[]], track=track))[0] * 40
        event = [hit("ECAL", (1, ix, iy), expected[ix, iy]) for ix in range(6) for iy in range(6)]
        total = expected.sum() / 40
        view = make_view([event])
        return shower_chi2(view)[0], total

    on_track, contained = chi2_of((100.0, 0.0, 0.0, 4.0, 3.0, 1.0))
    displaced, _ = chi2_of((100.0, 0.0, 0.0, 14.0, 3.0, 1.0))
    assert 0.9 < contained < 1
    assert on_track < 0.5
    assert displaced > 10


def test_chi2_of_one_cell_by_hand(make_view, hit):
    shape = ShowerShape(noise=0.05)
    view = make_view([[hit("ECAL", (1, 3, 3), 10.0)]])
    expected = 10 * expected_fractions(view, shape)[0]
    seen = np.zeros((6, 6))
    seen[3, 3] = 10
    variance = 0.01 * expected + (0.04 * expected) ** 2 + 0.05**2
    assert shower_chi2(view, shape)[0] == pytest.approx(((seen - expected) ** 2 / variance).mean())


def test_flat_share_reaches_every_cell(make_view):
    view = make_view([[]])
    plain = expected_fractions(view)
    flat = expected_fractions(view, dataclasses.replace(ShowerShape(), flat=0.003))
    np.testing.assert_allclose(flat, (1 - 36 * 0.003) * plain + 0.003)
    assert np.isnan(shower_chi2(view)[0])


def test_hcal(make_view, hit):
    view = make_view(
        [
            [
                hit("HCAL", (0, 1, 1), 6.0),
                hit("HCAL", (1, 0, 1), 2.0),
                hit("HCAL", (2, 2, 2), 0.4),
                hit("HCAL", (3, 1, 1), 50),
            ]
        ]
    )
    assert value(view, "hcal_energy") == pytest.approx(8.4)
    assert value(view, "hcal_module:3") == 50
    assert value(view, "hcal_centre:0") == 6
    assert value(view, "rhcal") == pytest.approx(2.4 / 8.4)
    assert value(view, "hcal_periphery_energy") == 2.0
    assert value(view, "hcal_periphery") == 0
    with pytest.raises(ConfigError, match="no module '4'"):
        value(view, "hcal_module:4")


def test_hcal_periphery_and_empty_hcal(make_view, hit):
    view = make_view([[hit("HCAL", (0, 1, 1), 1.0), hit("HCAL", (0, 0, 0), 0.6), hit("HCAL", (1, 2, 1), 0.6)], []])
    assert compute(["hcal_periphery"], view)["hcal_periphery"].tolist() == [1, 0]
    assert np.isnan(value(view, "rhcal", event=1))


@pytest.mark.parametrize(
    ("energies", "muon"),
    [((0, 0, 2.1), 1), ((1.6, 1.6, 1.4), 1), ((1.6, 1.4, 1.4), 0), ((1.6, 1.6, 1.2), 0), ((9.0, 0, 0), 0)],
)
def test_muon_pattern(make_view, hit, energies, muon):
    view = make_view([[hit("HCAL", (module, 1, 1), energy) for module, energy in enumerate(energies)]])
    assert value(view, "hcal_mip_like") == muon


def test_veto_plane_is_twice_the_geometric_mean_unless_one_side_is_dead(make_view, hit):
    # each photomultiplier has half of the deposit; 0.3 MIP is 3.03 MeV in the plane, 1.515 MeV in one of them
    sides = (0.004, 0.009, 0.02, 0.0015, 0.0, 0.0)
    view = make_view([[hit("VETO", (i,), energy) for i, energy in enumerate(sides)]])
    assert value(view, "veto_energy") == pytest.approx(sum(sides))
    assert value(view, "veto_plane:0") == pytest.approx(0.012)
    assert value(view, "veto_plane:1") == pytest.approx(0.04)
    assert value(view, "veto_plane:2") == 0
    assert value(view, "veto_plane_max") == pytest.approx(0.04)


def test_veto_plane_follows_the_share_of_the_setup(make_view, hit):
    view = make_view([[hit("VETO", (0,), 0.004), hit("VETO", (1,), 0.009)]])
    for share, expected in ((1.0, 0.006), (0.5, 0.012)):
        view.setup = with_veto(view.setup, share={"value": share, "source": "C"})
        assert value(view, "veto_plane:0") == pytest.approx(expected)
    view.setup = with_veto(view.setup, share=None)
    with pytest.raises(ConfigError, match="VETO: the keys 'mip' and 'share'"):
        value(view, "veto_plane:0")


def with_veto(setup, **keys):
    content = setup.model_dump(mode="json")
    next(detector for detector in content["detectors"] if detector["name"] == "VETO").update(keys)
    return type(setup).model_validate(content)


def test_srd_and_vhcal(make_view, hit):
    view = make_view([[hit("SRD", (0,), 0.03), hit("SRD", (2,), 0.09), hit("VHCAL", (0, 2, 3), 1.25)]])
    names = ("srd_min", "srd_second", "srd_max", "srd_sum")
    assert [value(view, name) for name in names] == pytest.approx([0, 0.03, 0.09, 0.12])
    assert value(view, "vhcal_energy") == 1.25
