"""Signals against the published cross-sections, closed forms and the truth of the reference sample."""

import awkward as ak
import numpy as np
import pytest
from scipy.stats import ks_2samp, kstest

from na64ml.errors import ConfigError
from na64ml.simulation.processes.alp import ALP
from na64ml.simulation.processes.dark_photon import DarkPhoton
from na64ml.simulation.processes.forced_decay import forced_decay
from na64ml.simulation.processes.positron_annihilation import PositronAnnihilation, resonance_energy
from na64ml.simulation.processes.shower_electrons import draw_electrons, track_length
from na64ml.simulation.processes.visible_decay import VisibleDecay
from na64ml.simulation.processes.weizsaecker_williams import cross_section, draw_share, share_above


@pytest.mark.parametrize(
    ("mass", "mean", "above"), [(0.001, 0.71, 0.79), (0.01, 0.88, 0.935), (0.1, 0.93, 0.963), (1.0, 0.95, 0.974)]
)
def test_spectrum_of_dark_photons(mass, mean, above, rng):
    """Mean x and share above half the beam energy, physics.md 4.1."""
    assert draw_share(mass, 100.0, rng.random(20000)).mean() == pytest.approx(mean, abs=0.015)
    assert share_above(mass, 100.0, 50.0) == pytest.approx(above, abs=0.01)


@pytest.mark.parametrize(
    ("mass", "energy", "picobarn", "tolerance"),
    [(0.01, 60, 8390, 0.03), (0.02, 80, 2589, 0.03), (0.1, 60, 91.6, 0.1), (0.0167, 150, 3643, 0.03)],
)
def test_cross_sections_away_from_the_table(mass, energy, picobarn, tolerance):
    """Energies other than that of the table of the exact tree-level calculation, physics.md 4.1, mixing 1e-4."""
    assert cross_section(mass, energy) * 1e-8 == pytest.approx(picobarn, rel=tolerance)


@pytest.mark.parametrize(("mass", "yield_"), [(0.001, 0.191), (0.0103, 1.03e-2), (0.03, 1.61e-3), (0.5, 2.17e-6)])
def test_rate_of_dark_photons(mass, yield_, beamline):
    """N per EOT and mixing squared with more than 50 GeV, physics.md 4.2; its own precision is 10 to 20 %."""
    rate = DarkPhoton(masses=(mass,), min_energy=50, mixing=1).rate(beamline)
    assert rate.value == pytest.approx(yield_, rel=0.15)


def test_track_length_of_the_primary():
    """0.82 X0 above half the beam energy, physics.md 4.2; per GeV those of positrons in 4.4."""
    assert track_length(np.array([50.0, 100.0]), 100.0)[0] == pytest.approx(0.82, rel=0.1)
    for energy, per_gev in ((60, 1.4e-2), (80, 1.22e-2), (88, 1.3e-2)):
        assert track_length(np.array([energy - 0.5, energy + 0.5]), 100.0)[0] == pytest.approx(per_gev, rel=0.03)


def test_drawn_electrons_follow_the_track_length(rng):
    energy, _ = draw_electrons(200_000, np.full(200_000, 100.0), rng)
    edges = np.array([30.0, 50.0, 70.0, 90.0])
    counts = np.histogram(energy, edges)[0]
    expected = track_length(edges, 100.0) * 200_000 / 15.0
    assert np.all(np.abs(counts - expected) < 5 * np.sqrt(expected))


@pytest.mark.parametrize("mass", [0.001, 0.01, 0.1, 1.0])
def test_lost_energy_is_that_of_the_reference_sample(mass, beamline, rng, truth):
    events = DarkPhoton(masses=(mass,)).generate(4000, beamline, rng)
    chosen = (truth.mc_label == 0) & (abs(truth.mc_mass - mass) < 1e-6)
    theirs = ak.to_numpy(truth.mc_invisible_energy[chosen])
    assert len(theirs) > 100
    assert ks_2samp(events.truth["invisible_energy"], theirs).pvalue > 1e-3


@pytest.mark.parametrize("emission", ["front_face", "shower"])
def test_energy_is_conserved(emission, beamline, rng):
    events = DarkPhoton(emission=emission, min_energy=20.0).generate(500, beamline, rng)
    visible = np.bincount(events.particles.event, events.particles.energy, minlength=500)
    np.testing.assert_allclose(visible + events.truth["invisible_energy"], events.track.p, atol=5e-3)
    assert events.truth["invisible_energy"].min() > 20.0


def test_emission_in_the_shower_is_deeper_and_softer(beamline, rng):
    front, shower = (DarkPhoton(emission=e).generate(2000, beamline, rng) for e in ("front_face", "shower"))
    assert shower.truth["invisible_energy"].mean() < 0.7 * front.truth["invisible_energy"].mean()
    electrons = shower.particles.pdg == 11
    assert 5 < np.median(shower.particles.position[electrons, 2]) < 100


@pytest.mark.parametrize("mass", [0.0005, 1.5])
def test_masses_outside_the_table_are_an_error(mass):
    with pytest.raises(ConfigError, match="outside the table"):
        cross_section(mass, 100.0)
    with pytest.raises(ValueError, match="outside the table"):
        DarkPhoton(masses=(mass,))


@pytest.mark.parametrize(("energy", "mass"), [(40, 0.202), (50, 0.226), (60, 0.248), (70, 0.267), (100, 0.320)])
def test_resonance_masses(energy, mass):
    assert resonance_energy(mass) == pytest.approx(energy, rel=0.01)


@pytest.mark.parametrize(("mass", "limit"), [(0.24, 2.41e-4), (0.25, 2.84e-4), (0.27, 4.23e-4)])
def test_rate_of_annihilation(mass, limit, beamline):
    """The mixing excluded with 2.84e11 EOT and half of the events, physics.md 4.3; published 2.47e-4 to 4.42e-4."""
    rate = PositronAnnihilation(dark_mass=mass, mixing=1.0).rate(beamline).value
    assert np.sqrt(2.3 / (2.84e11 * 0.5 * rate)) == pytest.approx(limit, rel=0.1)


def test_annihilation_peaks_at_the_resonance(beamline_of, rng):
    beam = beamline_of("na64e_positron_2022", 6500)
    events = PositronAnnihilation(dark_mass=0.25, alpha_dark=0.01).generate(2000, beam, rng)
    lost = events.truth["invisible_energy"]
    assert np.median(lost) == pytest.approx(resonance_energy(0.25), rel=0.01)
    visible = np.bincount(events.particles.event, events.particles.energy, minlength=2000)
    np.testing.assert_allclose(visible + lost, events.track.p, atol=5e-3)


def test_resonance_above_the_beam_is_an_error(beamline, rng):
    with pytest.raises(ConfigError, match=r"dark_mass 0\.4 GeV is resonant at 157 GeV"):
        PositronAnnihilation(dark_mass=0.4).generate(3, beamline, rng)


def test_decay_lengths():
    """physics.md 4.5 [C]."""
    assert ALP(alp_mass=0.05, coupling=4e-4).decay_length(np.array([80.0]))[0] == pytest.approx(3200, rel=0.02)
    assert VisibleDecay(mixing=6.6e-4).decay_length(np.array([135.0]))[0] == pytest.approx(90, rel=0.02)
    assert VisibleDecay(mixing=1.2e-4).decay_length(np.array([135.0]))[0] == pytest.approx(2800, rel=0.04)


def test_forced_decays_equal_natural_ones(rng):
    length, region = np.full(40_000, 700.0), (500.0, 2000.0)
    z, weight = forced_decay(np.zeros(40_000), length, region, rng)
    natural = rng.exponential(700.0, 40_000)
    inside = natural[(natural > region[0]) & (natural < region[1])]
    assert weight[0] == pytest.approx(len(inside) / 40_000, abs=0.01)
    assert ks_2samp(z, inside).pvalue > 1e-3
    assert kstest(weight, [weight[0]]).statistic == 0


def test_photons_of_an_alp_carry_its_energy_and_start_in_the_hcal(beamline, rng):
    events = ALP().generate(300, beamline, rng)
    photons = events.particles.select(events.particles.secondary)
    assert set(photons.pdg.tolist()) == {22}
    hcal = beamline.setup.detector("HCAL")
    assert photons.position[:, 2].min() > hcal.segments[1].z_min
    assert photons.position[:, 2].max() < hcal.segments[2].z_max
    visible = np.bincount(events.particles.event, events.particles.energy, minlength=300)
    np.testing.assert_allclose(visible, events.track.p, rtol=1e-3)


def test_pairs_of_visible_decays_have_the_mass_of_the_dark_photon(beamline_of, rng):
    beam = beamline_of("na64e_visible_2018", 4250)
    events = VisibleDecay(dark_mass=0.0167).generate(200, beam, rng)
    pair = events.particles.select(events.particles.secondary)
    energy = np.bincount(pair.event, pair.energy)
    momentum = np.array([np.bincount(pair.event, axis) for axis in pair.momentum.T])
    np.testing.assert_allclose(np.sqrt(energy**2 - (momentum**2).sum(axis=0)), 0.0167, rtol=0.02)
    assert events.truth["vertex_z"].min() > -3600
    assert events.truth["vertex_z"].max() < 0
