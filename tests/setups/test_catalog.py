"""The shipped setups against the numbers that their sources state."""

import numpy as np
import pytest

from na64ml.setups.channels import AXIS_X, AXIS_Y
from na64ml.setups.detectors import SRD, Calorimeter, Counter
from na64ml.setups.materials import interaction_lengths, radiation_lengths
from na64ml.setups.setup import Setup, load_setup, shipped_setups


@pytest.fixture(scope="module")
def reference() -> Setup:
    return load_setup("na64e_reference")


def calorimeter(setup: Setup, name: str) -> Calorimeter:
    detector = setup.detector(name)
    assert isinstance(detector, Calorimeter)
    return detector


@pytest.mark.parametrize("name", shipped_setups())
def test_ecal_depth(name: str) -> None:
    ecal = calorimeter(load_setup(name), "ECAL")
    assert sum(ecal.layer_counts) == 150
    assert radiation_lengths(ecal).sum() == pytest.approx(40.6, rel=0.01)
    assert interaction_lengths(ecal).sum() == pytest.approx(1.56, rel=0.01)
    assert radiation_lengths(ecal)[0] == pytest.approx(4.33, rel=0.01)
    assert (ecal.segments[0].z_min, ecal.segments[1].z_max) == (0.0, 450.0)


@pytest.mark.parametrize("name", shipped_setups())
def test_hcal_modules_are_between_7_4_and_7_5_interaction_lengths(name: str) -> None:
    depth = interaction_lengths(calorimeter(load_setup(name), "HCAL"))
    assert depth.shape == (4,)
    assert np.all((depth > 7.35) & (depth < 7.55))


@pytest.mark.parametrize("name", shipped_setups())
def test_srd_modules(name: str) -> None:
    srd = load_setup(name).detector("SRD")
    assert isinstance(srd, SRD)
    assert srd.shape == ((2,) if name == "na64e_visible_2018" else (3,))
    np.testing.assert_allclose(radiation_lengths(srd), 3.3, rtol=0.01)
    np.testing.assert_allclose(interaction_lengths(srd), 0.34, rtol=0.02)
    assert srd.channels.size[0, 2] == pytest.approx(200 * 1.08)


@pytest.mark.parametrize("name", ["na64e_reference", "na64e_2023"])
def test_vhcal_is_about_5_interaction_lengths(name: str) -> None:
    assert interaction_lengths(calorimeter(load_setup(name), "VHCAL"))[0] == pytest.approx(5.0, rel=0.02)


def test_reference_shapes(reference: Setup) -> None:
    assert {detector.name: detector.shape for detector in reference.detectors} == {
        "MM": (2, 2),
        "ST": (2, 2),
        "SRD": (3,),
        "VHCAL": (1, 4, 4),
        "ECAL": (2, 6, 6),
        "VETO": (6,),
        "HCAL": (4, 3, 3),
    }


def test_reference_ecal_cell_3_3_is_on_the_beam_axis(reference: Setup) -> None:
    channels = calorimeter(reference, "ECAL").channels
    main = channels.label.index("ECAL[1][3][3]")
    assert main == 36 + 3 * 6 + 3
    np.testing.assert_allclose(channels.position[main], [0.0, 0.0, 249.0], atol=1e-9)
    np.testing.assert_allclose(channels.position[channels.label.index("ECAL[0][5][0]")], [76.4, -114.6, 24.0])
    np.testing.assert_allclose(channels.position[:, :2].mean(axis=0), [-19.1, -19.1])


def test_reference_vhcal_is_centred_on_the_beam_with_its_back_at_30_cm(reference: Setup) -> None:
    vhcal = calorimeter(reference, "VHCAL")
    assert vhcal.width == (500.0, 500.0)
    assert vhcal.hole is not None
    assert vhcal.hole.value == 120.0
    assert (vhcal.segments[0].z_min, vhcal.segments[0].z_max) == (-300.0 - 30 * 29.0, -300.0)
    np.testing.assert_allclose(vhcal.channels.position[:, :2].mean(axis=0), 0.0, atol=1e-9)


def test_reference_veto_has_three_strips_with_two_photomultipliers(reference: Setup) -> None:
    channels = reference.detector("VETO").channels
    np.testing.assert_array_equal(channels.position[0::2], channels.position[1::2])
    np.testing.assert_allclose(channels.position[0::2, 0] - -19.1, [-200.0, 0.0, 200.0])
    low, high = channels.position - channels.size / 2, channels.position + channels.size / 2
    np.testing.assert_allclose(high.max(axis=0) - low.min(axis=0), [600.0, 600.0, 50.0])
    assert (low[0, 2], high[0, 2]) == (550.0, 600.0)


@pytest.mark.parametrize("name", [name for name in shipped_setups() if "VETO" in load_setup(name).detector_names])
def test_veto_photomultipliers_halve_the_deposit_in_the_simulated_detector_only(name: str) -> None:
    veto = load_setup(name).detector("VETO")
    assert isinstance(veto, Counter)
    assert veto.share is not None
    assert veto.share.value == (0.5 if name == "na64e_reference" else 1.0)


def test_reference_hcal_modules_are_100_mm_apart(reference: Setup) -> None:
    hcal = calorimeter(reference, "HCAL")
    assert hcal.width == (600.0, 600.0)
    assert hcal.segments[0].z_min == 700.0
    assert [part.z_max - part.z_min for part in hcal.segments] == [48 * 29.0] * 4
    gaps = [b.z_min - a.z_max for a, b in zip(hcal.segments[:2], hcal.segments[1:3], strict=True)]
    assert gaps == [100.0, 100.0]


def test_reference_tracker_planes(reference: Setup) -> None:
    z = {
        label: position[2]
        for name in ("MM", "ST")
        for label, position in zip(
            reference.detector(name).channels.label, reference.detector(name).channels.position, strict=True
        )
    }
    assert z["MM5X"] == z["MM5Y"] == -12000.0
    assert z["ST05X"] == -5000.0
    assert z["MM6Y"] == -1800.0
    assert z["ST03Y"] == -1600.0


@pytest.mark.parametrize(("name", "n_columns"), [("na64e_2018", 6), ("na64e_2022", 5), ("na64e_2023", 5)])
def test_ecal_columns_by_period(name: str, n_columns: int) -> None:
    assert load_setup(name).detector("ECAL").shape == (2, n_columns, 6)


@pytest.mark.parametrize(("name", "depth"), [("na64e_visible_2017", 40), ("na64e_visible_2018", 30)])
def test_wcal_depth(name: str, depth: float) -> None:
    wcal = calorimeter(load_setup(name), "WCAL")
    assert radiation_lengths(wcal).sum() == pytest.approx(depth, rel=0.01)
    assert wcal.segments[-1].z_max < load_setup(name).detector("DC").channels.position[:, 2].min()


@pytest.mark.parametrize(("name", "energy"), [("na64e_positron_2022", 100), ("na64e_positron_2023", 70)])
def test_positron_setups_differ_from_those_of_electrons_in_the_beam_only(name: str, energy: float) -> None:
    setup, electrons = load_setup(name), load_setup(name.replace("positron_", ""))
    assert (setup.beam.particle, setup.beam.energy.value) == ("e+", energy)
    assert setup.detectors == electrons.detectors


def test_vhcal_is_what_2023_adds_to_2022() -> None:
    before, after = load_setup("na64e_2022"), load_setup("na64e_2023")
    assert set(after.detector_names) - set(before.detector_names) == {"VHCAL"}
    assert all(before.detector(name) == after.detector(name) for name in before.detector_names)


def test_hodoscope_of_2018_has_31_bins_for_each_projection() -> None:
    channels = load_setup("na64e_2018").detector("HOD").channels
    for axis, column in ((AXIS_X, 0), (AXIS_Y, 1)):
        rows = channels.axis == axis
        assert rows.sum() == 16
        edges = channels.position[rows, column, None] + channels.size[rows, column, None] * [-0.5, 0.5]
        bins = np.diff(np.unique(edges))
        assert len(bins) == 31
        np.testing.assert_allclose(bins[1:-1], 1.0)
