"""Formulas of the engine, each against numbers computed in another way."""

import numpy as np
import pytest
from scipy.stats import gamma, landau

from na64ml.setups.setup import load_setup
from na64ml.simulation.engines.parametric.ionisation import MODE, kinetic_left, minimum_ionising, reach
from na64ml.simulation.engines.parametric.medium import RISE, sandwich_medium
from na64ml.simulation.engines.parametric.profiles import Profile, contained, conversion_length, lateral
from na64ml.simulation.engines.parametric.randomness import gamma_like, tilted


def profile(n=1, energy=20.0, alpha=4.5, maximum=6.5, z=75.6):
    def full(value):
        return np.full(n, float(value))

    values = (energy, 0, maximum, alpha, (alpha - 1) / maximum, z, 0.651, 0.271, 28.3, 1.0)
    return Profile(*(full(value) for value in values))


def test_medium_of_the_ecal_is_that_of_the_literature(constants):
    """physics.md 5.1: Z_eff 75.6, X0_eff 11.08 mm, R_M 28.3 mm, E_c 7.99 MeV, F_S 3.69, e_hat 0.651."""
    ecal = load_setup("na64e_reference").detector("ECAL")
    medium = sandwich_medium(ecal.sandwich, 150, 450.0, constants)
    assert medium.z == pytest.approx(75.6, abs=0.1)
    assert 1 / medium.radiation == pytest.approx(11.08, rel=0.002)
    assert medium.moliere == pytest.approx(28.3, rel=0.05)
    assert medium.critical * 1e3 == pytest.approx(7.99, rel=0.01)
    assert 1 / medium.inverse_frequency == pytest.approx(3.69, rel=0.01)
    assert medium.e_hat == pytest.approx(0.651, abs=0.002)


@pytest.mark.parametrize(
    ("setup", "name", "share"),
    [("na64e_reference", "ECAL", 0.1087), ("na64e_reference", "HCAL", 0.0237), ("na64e_reference", "VHCAL", 0.0212),
     ("na64e_visible_2017", "WCAL", 0.0368)],
)  # fmt: skip
def test_visible_share_of_electromagnetic_showers(setup, name, share, constants):
    """Geant4, electrons of 5 GeV (100 GeV in the WCAL); lateral leakage allows for 3 %."""
    detector = load_setup(setup).detector(name)
    segment = detector.segments[0]
    medium = sandwich_medium(detector.sandwich, segment.layers.value, segment.z_max - segment.z_min, constants)
    assert medium.em_share == pytest.approx(share, rel=0.03)


@pytest.mark.parametrize(
    ("setup", "name", "resolution", "error"),
    [("na64e_reference", "ECAL", 0.083, 0.004), ("na64e_reference", "HCAL", 0.223, 0.032),
     ("na64e_reference", "VHCAL", 0.252, 0.037), ("na64e_visible_2017", "WCAL", 0.175, 0.015)],
)  # fmt: skip
def test_one_sampling_law_for_all_plates(setup, name, resolution, error, constants):
    """Geant4, 24 electrons of 5 GeV in the HCAL and the VHCAL, 120 in the WCAL less the constant term."""
    detector = load_setup(setup).detector(name)
    segment = detector.segments[0]
    medium = sandwich_medium(detector.sandwich, segment.layers.value, segment.z_max - segment.z_min, constants)
    assert medium.sampling == pytest.approx(resolution, abs=1.5 * error)


def test_contained_share_is_the_gamma_distribution_up_to_its_tail(constants):
    some = profile()
    depth = np.array([[2.0, 6.0, 10.0, 14.0, 40.0, 400.0]])
    share, moment = contained(some, depth, constants)
    expected = gamma.cdf(depth, 4.5, scale=6.5 / 3.5)
    np.testing.assert_allclose(share[0, :3], expected[0, :3], rtol=0.03)
    assert (np.diff(share) > 0).all()
    assert share[0, -1] == pytest.approx(1, abs=1e-9)
    assert 1 - share[0, 4] > 5 * (1 - expected[0, 4])
    grid = np.linspace(0, 400, 400_001)[None]
    values, _ = contained(some, grid, constants)
    mean = (np.diff(values[0]) * (grid[0, 1:] + grid[0, :-1]) / 2).sum()
    assert moment[0, -1] == pytest.approx(mean, rel=1e-3)


def test_lateral_profile_gets_wider_with_depth(constants):
    some = profile(3)
    core, tail, weight = lateral(some, np.array([0.5, 1.0, 2.0]), constants, 1.0)
    assert (np.diff(core) > 0).all()
    assert (tail > core).all()
    assert ((weight > 0) & (weight < 1)).all()
    wide = lateral(some, np.array([0.5, 1.0, 2.0]), constants, 1.5)
    np.testing.assert_allclose(wide[0], 1.5 * core)


def test_photons_of_high_energy_convert_after_nine_sevenths():
    assert conversion_length(np.array([100.0]))[0] == pytest.approx(9 / 7, rel=0.01)
    assert conversion_length(np.array([0.1]))[0] == pytest.approx(1.68, rel=0.05)


def test_range_and_its_inverse():
    kinetic = np.array([0.01, 0.1, 1.0, 100.0])
    np.testing.assert_allclose(kinetic_left(reach(kinetic, 0.938), 0.938), kinetic)
    # A proton of 200 MeV has a range of 47 g/cm² in lead, 1.12 MeV cm²/g at the minimum.
    assert reach(np.array([0.2]), 0.938)[0] / RISE == pytest.approx(0.047 * 1.12, rel=0.1)
    assert kinetic_left(np.array([-1.0]), 0.938)[0] == 0


def test_landau_of_a_counter():
    """50 mm of plastic: the median of muons in the sample is 10.1 MeV."""
    values = minimum_ionising(np.full(50_000, 50.0), np.full(50_000, 10.0), np.random.default_rng(1)) * 1e3
    assert np.median(values) == pytest.approx(10.1, rel=0.06)
    xi = 0.1535 * 0.5414 * 5.16
    quantiles = np.pi / 2 * landau.ppf([0.1, 0.9]) + np.log(np.pi / 2)
    assert np.diff(np.quantile(values, [0.1, 0.9]))[0] == pytest.approx(xi * np.diff(quantiles)[0], rel=0.05)
    cut = minimum_ionising(np.full(50_000, 50.0), np.full(50_000, 1e-3), np.random.default_rng(1)) * 1e3
    assert cut.max() < 8.95 + 1.0 + xi * abs(MODE) + 0.5


@pytest.mark.parametrize("shape", [0.02, 0.3, 1.0, 20.0])
def test_gamma_like_numbers_have_mean_and_variance(shape):
    values = gamma_like(np.full(400_000, shape), np.random.default_rng(2))
    assert values.mean() == pytest.approx(1, abs=0.06)
    assert values.var() == pytest.approx(1 / shape, rel=0.35)


def test_tilted_vectors_have_the_angle():
    rng = np.random.default_rng(3)
    axis = rng.normal(size=(100, 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    tangent = rng.uniform(0, 3, 100)
    cosine = (tilted(axis, tangent, rng) * axis).sum(axis=1)
    np.testing.assert_allclose(cosine, 1 / np.sqrt(1 + tangent**2))
