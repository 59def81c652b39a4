"""The parametric engine: interface, robustness, nuisance parameters."""

import tracemalloc

import numpy as np
import pytest
import yaml
from numpy.random import SeedSequence
from pydantic import ValidationError

from na64ml.errors import ConfigError, InputError
from na64ml.setups.setup import load_setup, shipped_setups
from na64ml.simulation.engines.parametric import Parametric, constants
from na64ml.simulation.particles import Particles, mass

ANY = (11, -11, 22, 13, -13, 211, -211, 111, 221, 130, 310, 321, -321, 2112, 2212, -2112, -2212, 3122, 12, 14)


def total(deposits, name):
    return deposits.visible[name].sum(axis=(1, 2))


def anything(n, rng, setup):
    """Particles of every kind, anywhere, in any direction, from 1 MeV to 200 GeV of kinetic energy."""
    pdg = rng.choice(ANY, n)
    kinetic = np.exp(rng.uniform(np.log(0.001), np.log(200), n))
    direction = rng.normal(size=(n, 3))
    forward = rng.random(n) < 0.7
    direction[forward] = [0, 0, 1] + 0.02 * direction[forward]
    direction[:5] = [[1, 0, 0], [0, -1, 0], [0, 0, -1], [0, 0, 1], [0, 0, 0]]
    length = np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-12)
    momentum = np.sqrt(kinetic**2 + 2 * kinetic * mass(pdg))[:, None] * direction / length
    ends = [detector.channels.position[:, 2] for detector in setup.detectors]
    z = rng.uniform(min(e.min() for e in ends) - 500, max(e.max() for e in ends) + 500, n)
    position = np.column_stack([rng.normal(0, 60, (n, 2)), z])
    return Particles.build(rng.integers(0, n // 4, n), pdg, position, momentum, secondary=rng.random(n) < 0.5)


@pytest.mark.parametrize("name", ["na64e_reference", "na64e_visible_2017", "na64e_2023"])
def test_finite_for_any_particle_anywhere(name):
    setup = load_setup(name)
    particles = anything(1000, np.random.default_rng(3), setup)
    deposits = Parametric().open(setup).run(particles, 250, SeedSequence(1))
    available = np.bincount(particles.event, particles.energy + mass(particles.pdg), minlength=250)
    everything = np.zeros(250)
    for detector, visible in deposits.visible.items():
        assert visible.shape == (250, 2, setup.detector(detector).n_channels)
        assert np.isfinite(visible).all(), detector
        assert (visible >= 0).all(), detector
        everything += visible.sum(axis=(1, 2))
    assert (everything < 1.2 * available + 0.05).all()
    assert np.isfinite(deposits.crossings.position).all()
    assert (np.diff(deposits.crossings.event) >= 0).all()


def test_the_seed_decides_and_nothing_else(shoot):
    first = shoot(-211, 30.0, 20, seed=4)
    shoot(11, 10.0, 5, seed=9)
    again, other = shoot(-211, 30.0, 20, seed=4), shoot(-211, 30.0, 20, seed=5)
    for name, values in first.visible.items():
        np.testing.assert_array_equal(values, again.visible[name])
    assert not np.array_equal(first.visible["ECAL"], other.visible["ECAL"])


def test_a_seed_may_be_used_twice(transport):
    particles, seed = Particles.build([0], 11, [0, 0, -1], [0, 0, 10.0]), SeedSequence(7)
    first, second = (transport.run(particles, 1, seed).visible["ECAL"] for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_showers_are_independent(shoot):
    values = total(shoot(11, 20.0, 2000), "ECAL")
    assert len(np.unique(values)) > 1900
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.07


def test_deposits_of_the_beam_particle_are_kept_apart(shoot):
    own, secondary = shoot(11, 5.0, 3), shoot(11, 5.0, 3, secondary=True)
    assert own.visible["ECAL"][:, 1].sum() == 0
    assert secondary.visible["ECAL"][:, 0].sum() == 0
    np.testing.assert_array_equal(own.visible["ECAL"][:, 0], secondary.visible["ECAL"][:, 1])


def test_events_without_particles_and_neutrinos_leave_nothing(transport):
    none = Particles.build(np.zeros(0, np.int64), 11, np.zeros((0, 3)), np.zeros((0, 3)))
    assert total(transport.run(none, 3, SeedSequence(1)), "ECAL").tolist() == [0, 0, 0]
    particles = Particles.build([0, 0, 2], [11, 12, 22], [0, 0, -1.0], [[0, 0, 5.0], [0, 0, 90.0], [0, 0, 7.0]])
    visible = total(transport.run(particles, 3, SeedSequence(2)), "ECAL") / 0.1087
    np.testing.assert_allclose(visible, [5, 0, 7], rtol=0.25)


def test_particles_that_are_not_finite_are_an_error(transport):
    particles = Particles.build([0, 1], [11, 2112], [0, 0, -1.0], [[0, 0, 5.0], [np.nan, 0, 1.0]])
    with pytest.raises(InputError, match=r"na64e_reference.*particle 1 \(PDG 2112\).*nan.*correct the process"):
        transport.run(particles, 2, SeedSequence(1))


def test_photomultipliers_of_a_strip_see_the_same(shoot):
    veto = shoot(13, 50.0, 50).visible["VETO"]
    np.testing.assert_array_equal(veto[..., 0::2], veto[..., 1::2])
    assert veto.sum() > 0


def test_tracker_planes_see_charged_particles_on_their_straight_line(shoot):
    muons = shoot(13, 50.0, 5, x=10.0, y=-5.0, z=-13000.0)
    assert muons.crossings.plane.tolist() == [0, 1, 2, 3] * 5
    np.testing.assert_allclose(muons.crossings.position, [[10.0, -5.0]] * 20, atol=1e-9)
    slanting = shoot(-211, 5.0, 1, z=-13000.0, direction=(0.002, 0.0, 1.0)).crossings
    np.testing.assert_allclose(slanting.position[:, 0], [2.0, 22.4, 16.0, 22.8], atol=1e-6)
    assert len(shoot(22, 1.0, 5, z=-13000.0).crossings.event) == 0
    assert len(shoot(13, 1.0, 5, z=-1000.0).crossings.event) == 0


def test_what_is_absorbed_crosses_no_plane_behind():
    """Electrons stop in the tungsten calorimeter, muons cross it."""
    setup = load_setup("na64e_visible_2017")
    own = Parametric().open(setup)
    for pdg, crossed in ((11, False), (13, True)):
        particles = Particles.build(np.arange(20), pdg, [0, 0, -3900.0], [0, 0, 100.0])
        assert bool(len(own.run(particles, 20, SeedSequence(1)).crossings.event)) is crossed


def test_the_hole_of_the_vhcal_is_open(shoot):
    through, into = shoot(-211, 30.0, 60, z=-2000.0), shoot(-211, 30.0, 60, x=150.0, z=-2000.0)
    assert total(through, "VHCAL").mean() < 0.05 * total(into, "VHCAL").mean()


def test_radial_scale_widens_showers(reference, shoot):
    def largest(scale):
        deposits = shoot(11, 50.0, 200, own=Parametric(radial_scale=scale).open(reference))
        cells = deposits.visible["ECAL"].sum(axis=1)
        return (cells.max(axis=1) / cells.sum(axis=1)).mean(), cells.sum(axis=1).mean()

    (narrow, one), (wide, other) = largest(1.0), largest(1.6)
    assert wide < narrow - 0.05
    assert other == pytest.approx(one, rel=0.03)


def test_crosstalk_moves_energy_without_adding_any(reference, shoot):
    plain, shared = shoot(11, 50.0, 50), shoot(11, 50.0, 50, own=Parametric(crosstalk=0.003).open(reference))
    np.testing.assert_allclose(total(shared, "ECAL"), total(plain, "ECAL"), rtol=1e-5)
    before, after = (d.visible["ECAL"][:, 0].reshape(50, 2, 36) for d in (plain, shared))
    np.testing.assert_allclose(after, before * (1 - 36 * 0.003) + 0.003 * before.sum(axis=2, keepdims=True), rtol=1e-4)
    np.testing.assert_array_equal(shared.visible["HCAL"], plain.visible["HCAL"])


def test_energy_scale(reference, shoot):
    plain, scaled = shoot(13, 50.0, 20), shoot(13, 50.0, 20, own=Parametric(energy_scale=1.03).open(reference))
    np.testing.assert_allclose(total(scaled, "HCAL"), 1.03 * total(plain, "HCAL"), rtol=1e-5)
    np.testing.assert_array_equal(scaled.visible["VETO"], plain.visible["VETO"])


@pytest.mark.parametrize(
    "wrong",
    [{"radial_scale": 0.5}, {"radial_scale": 2.0}, {"crosstalk": -0.001}, {"crosstalk": 0.5}, {"energy_scale": 3}],
)
def test_nuisance_parameters_have_ranges(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Parametric(**wrong)


def test_crosstalk_that_takes_all_energy_is_an_error(reference):
    wide = reference.model_dump(mode="json", exclude_none=True)
    ecal = next(detector for detector in wide["detectors"] if detector["name"] == "ECAL")
    ecal["cells"]["value"], ecal["cell_size"]["value"] = [11, 11], [20.0, 20.0]
    setup = type(reference).model_validate(wide)
    with pytest.raises(ConfigError, match=r"crosstalk 0.01 to each of the 121 cells of ECAL is more than all"):
        Parametric(crosstalk=0.01).open(setup)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("core_scale", -1.0, "core_scale.*greater than or equal to 0.2"),
        ("sampling", 0.0, "sampling.*greater than 0"),
        ("pi0_share", 1.5, "pi0_share.*less than or equal to 1"),
        ("absorption", 100.0, "absorption.*less than or equal to 10"),
    ],
)
def test_absurd_profile_parameters_are_errors(tmp_path, reference, key, value, message):
    content = yaml.safe_load((constants._FOLDER / "default.yaml").read_text())
    content[key]["value"] = value
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match=f"mine.yaml: key '{message}"):
        Parametric(constants=str(path)).open(reference)


def test_unknown_constants_are_an_error(reference):
    with pytest.raises(ConfigError, match="unknown constants of the parametric engine 'tuned'; shipped are: default"):
        Parametric(constants="tuned").open(reference)


def test_constants_make_a_difference(tmp_path, reference, shoot):
    content = yaml.safe_load((constants._FOLDER / "default.yaml").read_text())
    content["plate_strength"]["value"] *= 1.3
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    other = shoot(11, 20.0, 50, own=Parametric(constants=str(path)).open(reference))
    assert total(other, "ECAL").mean() < 0.97 * total(shoot(11, 20.0, 50), "ECAL").mean()


def test_memory_does_not_grow_with_the_events(transport, monkeypatch):
    monkeypatch.setattr("na64ml.simulation.engines.parametric.transport.CHUNK", 100)

    def peak(n):
        particles = Particles.build(np.arange(n), -211, [0, 0, -1.0], [0, 0, 20.0])
        transport.run(particles, 10, SeedSequence(1))
        tracemalloc.start()
        result = transport.run(particles, n, SeedSequence(1))
        used = tracemalloc.get_traced_memory()[1] - sum(values.nbytes for values in result.visible.values())
        tracemalloc.stop()
        return used

    assert peak(600) < 1.5 * peak(200)


@pytest.mark.parametrize("name", shipped_setups())
def test_every_shipped_setup_sees_a_shower_in_its_target(name):
    setup = load_setup(name)
    target = setup.target_calorimeter
    position = [*target.segment_centre(0), target.segments[0].z_min - 1]
    particles = Particles.build(np.arange(20), 11, position, [0, 0, 50.0])
    deposits = Parametric().open(setup).run(particles, 20, SeedSequence(1))
    visible = deposits.visible[setup.target].sum(axis=(1, 2))
    assert 0.02 < visible.mean() / 50 < 0.2
    assert visible.std() / visible.mean() < 0.05
