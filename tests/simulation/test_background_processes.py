"""Backgrounds against closed forms and the truth of the reference sample."""

from itertools import pairwise

import awkward as ak
import numpy as np
import pytest
from scipy.stats import ks_2samp, kstest

from na64ml.errors import ConfigError
from na64ml.simulation.particles import Particles, mass
from na64ml.simulation.processes.acceptance import misses
from na64ml.simulation.processes.beam_hadron import BeamHadron
from na64ml.simulation.processes.decay_in_flight import DecayInFlight, decay_length, decay_probability
from na64ml.simulation.processes.dimuon import Dimuon, pair_cross_section, pair_rate
from na64ml.simulation.processes.electroproduction import Electroproduction
from na64ml.simulation.processes.energy_transfer import EnergyTransfer
from na64ml.simulation.processes.hadron_system import decayed_pi0
from na64ml.simulation.processes.kshort_decay import KShortDecay
from na64ml.simulation.processes.momentum_misreconstruction import MomentumMisreconstruction
from na64ml.simulation.processes.neutral_punch_through import NeutralPunchThrough
from na64ml.simulation.processes.non_hermeticity import NonHermeticity
from na64ml.simulation.processes.photonuclear import interactions_above
from na64ml.simulation.processes.pile_up import PileUp, accidental_probability
from na64ml.simulation.processes.target_electroproduction import TargetElectroproduction
from na64ml.simulation.processes.three_body import ke3, muon_electrons
from na64ml.simulation.processes.two_body import decay_in_two

SAME = 1e-4
"""Smallest p-value of a two-sample test that counts as agreement."""


def first_of(events):
    return np.searchsorted(events.particles.event, np.arange(len(events)))


def counts(events, *pdgs):
    found = np.isin(np.abs(events.particles.pdg), pdgs) & events.particles.secondary
    return np.bincount(events.particles.event, found, minlength=len(events))


def conserved(events):
    """Return how much energy in GeV there is beyond that of the beam particle, at most."""
    made = np.bincount(events.particles.event, events.particles.energy, minlength=len(events))
    before = np.sqrt(events.track.p**2 + mass(events.track.pdg) ** 2)
    return made + events.truth["invisible_energy"] - before


def reference_counts(sample, *pdgs):
    return sum(ak.to_numpy(ak.sum(abs(sample.mc_pdg[:, 1:]) == pdg, axis=1)) for pdg in pdgs)


@pytest.mark.parametrize(("gev", "microbarn"), [(10, 334), (20, 485), (50, 708), (100, 887)])
def test_muon_pair_cross_section(gev, microbarn):
    assert pair_cross_section(gev) == pytest.approx(microbarn, rel=0.005)


def test_dimuon_rate():
    """Reproduction target 9: 7.9e-6 pairs above 50 GeV per electron, within 30 %."""
    assert pair_rate(50, 100, 100) == pytest.approx(7.9e-6, rel=0.3)


@pytest.mark.parametrize("spectrum", ["conversion", "log_uniform"])
def test_generated_dimuons_have_their_rate(spectrum, beamline, rng):
    """Reproduction target 9 on generated events."""
    process = Dimuon(low=10, spectrum=spectrum)
    events = process.generate(10_000, beamline, rng)
    pair = np.bincount(events.particles.event, events.particles.energy * events.particles.secondary)
    expected = process.rate(beamline).value * (events.weight * (pair > 50)).mean()
    assert expected == pytest.approx(7.9e-6, rel=0.3)


def test_dimuon_spectra(beamline, rng, truth):
    theirs = truth[truth.mc_label == 4]
    pair = ak.to_numpy(ak.sum(theirs.mc_energy[:, 1:], axis=1))
    events = Dimuon(spectrum="log_uniform").generate(4000, beamline, rng)
    muons = events.particles.select(np.abs(events.particles.pdg) == 13)
    assert ks_2samp(np.bincount(muons.event, muons.energy), pair).pvalue > SAME
    slope = muons.momentum[:, :2] / muons.momentum[:, 2:] - events.track.slope[muons.event]
    scaled = np.linalg.norm(slope, axis=1) * muons.energy / float(mass(13))
    assert np.sqrt((scaled**2).mean()) == pytest.approx(0.99, rel=0.05)
    physical = Dimuon(low=50).generate(4000, beamline, rng)
    energies = np.bincount(physical.particles.event, physical.particles.energy * physical.particles.secondary)
    assert np.all(np.abs(conserved(physical)) < 1e-3)
    assert np.all(np.abs(conserved(events)) < 1e-3)
    share = (energies > 70).mean()
    assert share == pytest.approx(pair_rate(70, 95, 100) / pair_rate(50, 95, 100), abs=0.04)


def test_weighted_and_natural_pair_energies_agree(beamline, rng):
    edges = np.array([10, 15, 20, 30, 50, 70, 95.0])
    expected = [pair_rate(low, high, 100.0) for low, high in pairwise(edges)]
    for spectrum in ("log_uniform", "conversion"):
        process = Dimuon(spectrum=spectrum)
        events = process.generate(30_000, beamline, rng)
        energy = np.bincount(events.particles.event, events.particles.energy * events.particles.secondary)
        sums = [np.histogram(energy, edges, weights=events.weight**k)[0] for k in (1, 2)]
        rate = process.rate(beamline).value
        assert np.all(np.abs(rate * sums[0] / 30_000 - expected) < 5 * rate * np.sqrt(sums[1]) / 30_000 + 1e-9)


def test_dimuons_beyond_the_beam_are_an_error(beamline, rng):
    with pytest.raises(ConfigError, match=r"low 99\.5, high 120 GeV leave no pairs"):
        Dimuon(low=99.5, high=120).generate(3, beamline, rng)


@pytest.mark.parametrize(("pdg", "probability"), [(211, 3.6e-3), (321, 2.6e-2), (13, 3.2e-5)])
def test_decay_probabilities_in_20_m(pdg, probability):
    assert decay_probability(pdg, 100.0, 20000.0) == pytest.approx(probability, rel=0.015)


@pytest.mark.parametrize(("pdg", "path"), [(310, 5400), (3122, 7100)])
def test_paths_of_strange_neutrals(pdg, path):
    """Reproduction target 13: 5.4 and 7.1 m at 100 GeV, within 1 %."""
    assert decay_length(pdg, 100.0) == pytest.approx(path, rel=0.01)


@pytest.mark.parametrize(("polarisation", "share"), [(0.0, 0.35), (-1.0, 0.30), (1.0, 0.40)])
def test_electrons_of_muon_decays(polarisation, share, rng):
    """Mean share of the energy, in closed form from the Michel spectrum."""
    electrons = muon_electrons(np.tile([0.0, 0.0, 100.0], (40_000, 1)), polarisation, rng)
    energy = np.linalg.norm(electrons, axis=1) / 100
    assert energy.mean() == pytest.approx(share, abs=0.005)
    assert energy.max() < 1.001


def test_michel_spectrum(rng):
    """2 x² (3 - 2x) in the rest frame without polarisation: integral 2 x³ - x⁴."""
    electrons = muon_electrons(np.tile([0.0, 0.0, 1e-9], (20_000, 1)), 0.0, rng)
    x = np.linalg.norm(electrons, axis=1) / (float(mass(13)) / 2)
    assert kstest(x, lambda value: 2 * np.clip(value, 0, 1) ** 3 - np.clip(value, 0, 1) ** 4).pvalue > SAME


def test_ke3_spectrum(rng):
    """Energy of the electron in the rest frame, dN/dE in closed form: E² (W - 2E)² / (m - 2E), W = (m² - m_pi²) / m."""
    kaon, pion = float(mass(321)), float(mass(111))
    electron, neutral = ke3(np.tile([0.0, 0.0, 1e-9], (20_000, 1)), rng)
    energy = np.linalg.norm(electron, axis=1)
    width = (kaon**2 - pion**2) / kaon
    grid = np.linspace(0, width / 2, 2000)
    total = np.cumsum(grid**2 * (width - 2 * grid) ** 2 / (kaon - 2 * grid))
    assert kstest(energy, lambda value: np.interp(value, grid, total / total[-1])).pvalue > SAME
    # What is left has the mass of a neutrino.
    lost = kaon - energy - np.sqrt((neutral**2).sum(axis=1) + pion**2)
    np.testing.assert_allclose(lost, np.linalg.norm(electron + neutral, axis=1), atol=1e-6)


def test_photons_of_a_pi0_have_its_momentum_and_mass(rng):
    momentum = rng.normal([0, 0, 50], 10, (2000, 3))
    photons = decayed_pi0(Particles.build(np.arange(2000), 111, [0, 0, 0], momentum), rng)
    both = np.bincount(photons.event, minlength=2000) == 2
    assert both.mean() > 0.95  # those below 50 MeV are dropped
    sums = [np.bincount(photons.event, axis, minlength=2000)[both] for axis in photons.momentum.T]
    energy = np.bincount(photons.event, photons.energy, minlength=2000)[both]
    np.testing.assert_allclose(np.column_stack(sums), momentum[both], atol=1e-6)
    np.testing.assert_allclose(np.sqrt(energy**2 - np.sum(np.square(sums), axis=0)), float(mass(111)), rtol=1e-3)


@pytest.mark.parametrize("mix", ["nature", *({name: 1.0} for name in ("pi_munu", "k_pipi0", "k_munu", "k_pi0enu"))])
def test_decays_conserve_energy(mix, beamline, rng):
    events = DecayInFlight(mix=mix).generate(500, beamline, rng)
    assert np.all(np.abs(conserved(events)) < 1e-6)
    assert np.isfinite(events.particles.momentum).all()
    if mix == {"k_pipi0": 1.0}:
        assert np.quantile(events.truth["invisible_energy"], 0.9) < 0.1  # photons below 50 MeV


def test_two_body_decays_conserve_energy_and_are_flat(rng):
    parent = np.tile([0.3, -0.2, 60.0], (5000, 1))
    kaon, pion = float(mass(321)), float(mass(211))
    first, second = decay_in_two(kaon, pion, float(mass(111)), parent, rng)
    np.testing.assert_allclose(first + second, parent, atol=1e-9)
    energy = np.sqrt((first**2).sum(axis=1) + pion**2)
    low, high = energy.min(), energy.max()
    assert np.histogram(energy, 10, (low, high))[0].std() < 5 * np.sqrt(500)


@pytest.mark.parametrize("parent", [13, 211, 321])
def test_decays_are_those_of_the_reference_sample(parent, beamline, rng, truth):
    theirs = truth[(truth.mc_label == 3) & (abs(truth.mc_parent_pdg) == parent)]
    events = DecayInFlight().generate(8000, beamline, rng)
    ours = np.abs(events.truth["parent_pdg"]) == parent
    assert ks_2samp(events.particles.energy[first_of(events)][ours], ak.to_numpy(theirs.mc_energy[:, 0])).pvalue > SAME
    assert ks_2samp(events.truth["invisible_energy"][ours], ak.to_numpy(theirs.mc_invisible_energy)).pvalue > SAME
    assert ks_2samp(events.truth["vertex_z"][ours] / 1000, ak.to_numpy(theirs.mc_vertex_z)).pvalue > SAME


def test_natural_mix_of_decays_follows_branching_ratios_and_lifetimes(beamline, rng):
    events = DecayInFlight(mix="nature").generate(5000, beamline, rng)
    share = {pdg: (np.abs(events.truth["parent_pdg"]) == pdg).mean() for pdg in (13, 211, 321)}
    assert share[211] > 0.9  # pi -> mu nu: many pions, whose decays are not rare
    one = DecayInFlight(mix={"mu_enunu": 1.0}).rate(beamline).value
    assert one == pytest.approx(4e-4 * 3.1e-5, rel=0.03)


def test_unknown_decay_channel():
    with pytest.raises(ValueError, match="unknown channel k_pipipi; known are pi_enu"):
        DecayInFlight(mix={"k_pipipi": 1.0})


@pytest.mark.parametrize(
    ("process", "label", "charged", "neutral"),
    [(Electroproduction(), 1, 3.17, 0.615), (NeutralPunchThrough(), 2, 0.80, 1.0)],
    ids=["electroproduction", "neutral_punch_through"],
)
def test_hadrons_are_those_of_the_reference_sample(process, label, charged, neutral, beamline, rng, truth):
    theirs = truth[truth.mc_label == label]
    events = process.generate(6000, beamline, rng)
    electron = events.particles.energy[first_of(events)]
    assert ks_2samp(electron, ak.to_numpy(theirs.mc_energy[:, 0])).pvalue > SAME
    for pdgs, mean in (((211, 2212), charged), ((2112, 130), neutral)):
        ours, reference = counts(events, *pdgs), reference_counts(theirs, *pdgs)
        assert reference.mean() == pytest.approx(mean, abs=0.01)
        assert ks_2samp(ours, reference).pvalue > SAME
        energy = events.particles.energy[np.isin(np.abs(events.particles.pdg), pdgs)]
        wanted = [ak.flatten(theirs.mc_energy[abs(theirs.mc_pdg) == pdg]) for pdg in pdgs]
        assert ks_2samp(energy, ak.to_numpy(ak.concatenate(wanted))).pvalue > SAME
    transverse = np.hypot(*events.particles.momentum[np.abs(events.particles.pdg) == 211, :2].T)
    pions = abs(theirs.mc_pdg) == 211
    reference = ak.to_numpy(ak.flatten(np.hypot(theirs.mc_px[pions], theirs.mc_py[pions])))
    assert ks_2samp(transverse, reference).pvalue > SAME


def test_upstream_vertices_are_the_material_planes_of_the_setup(beamline, rng):
    events = Electroproduction().generate(400, beamline, rng)
    assert set(np.unique(events.truth["vertex_z"])) == {-15000.0, -10000.0, -6000.0, -3000.0}
    np.testing.assert_array_equal(events.track.end_z, events.truth["vertex_z"])
    assert np.all(conserved(events) < 0.01)


def test_rate_of_electroproduction(beamline):
    """2.7e-7 per 1 % X0 of light material above y = 0.5, physics.md 3.3 [C]; the planes have 3 %."""
    process = Electroproduction(transfer=EnergyTransfer(low=0.5, high=1.0))
    assert process.rate(beamline).value == pytest.approx(3 * 2.7e-7, rel=0.1)


def test_setup_without_material_is_an_error(beamline_of, rng):
    with pytest.raises(ConfigError, match=r"na64e_visible_2017.*key 'upstream'"):
        Electroproduction().generate(5, beamline_of("na64e_visible_2017", 3500), rng)


def test_biased_and_unbiased_electroproduction_agree(beamline, rng):
    """Weighted spectra of a sample forced into the dangerous corner against natural ones."""
    hard = EnergyTransfer(low=0.3, high=0.97, hard=0.7, hard_fraction=0.4)
    biased = Electroproduction(transfer=hard, miss_fraction=0.5).generate(12_000, beamline, rng)
    natural = Electroproduction().generate(60_000, beamline, rng)
    missed = misses(beamline.setup, biased.particles, len(biased))
    assert missed.mean() == pytest.approx(0.5, abs=0.01)
    assert misses(beamline.setup, natural.particles, len(natural)).mean() < 0.04
    for variable in (
        lambda events: 1 - events.particles.energy[first_of(events)] / events.track.p,
        lambda events: counts(events, 211, 2212, 2112, 130),
        lambda events: 10.0 * misses(beamline.setup, events.particles, len(events)),
    ):
        ours, theirs = variable(biased), variable(natural)
        edges = np.unique(np.quantile(theirs, np.linspace(0, 1, 9)))
        edges[-1] += 1e-6
        expected = np.histogram(theirs, edges)[0] / len(natural)
        found = np.histogram(ours, edges, weights=biased.weight)[0] / len(biased)
        error = np.sqrt(
            np.histogram(ours, edges, weights=biased.weight**2)[0] / len(biased) ** 2 + expected / len(natural)
        )
        assert np.all(np.abs(found - expected) < 5 * error)


def test_target_electroproduction_rate(beamline):
    """1.7e-4 photo-nuclear interactions above 50 GeV, physics.md 3.3 [C]."""
    process = TargetElectroproduction(transfer=EnergyTransfer(low=0.5, high=1.0))
    assert process.rate(beamline).value == pytest.approx(1.7e-4, rel=0.001)


@pytest.mark.parametrize(("y", "per_electron"), [(0.1, 2.3e-3), (0.2, 9.2e-4), (0.5, 1.7e-4), (0.8, 2.9e-5), (1.0, 0)])
def test_photonuclear_interactions(y, per_electron):
    """physics.md 3.3 [C]; the density falls everywhere."""
    assert interactions_above(np.array([y]))[0] == pytest.approx(per_electron, rel=1e-3)
    density = -np.diff(interactions_above(np.linspace(0.1, 1.0, 60)))
    assert np.all(np.diff(density) < 0)


@pytest.mark.parametrize(
    "transfer",
    [EnergyTransfer(low=0.1, high=0.97), EnergyTransfer(low=0.1, high=0.97, hard=0.6, hard_fraction=0.5)],
    ids=["as 1/y", "hard"],
)
def test_target_electroproduction_has_the_photonuclear_spectrum(transfer, beamline, rng):
    process = TargetElectroproduction(transfer=transfer)
    events = process.generate(20_000, beamline, rng)
    y = 1 - events.particles.energy[first_of(events)] / events.track.p
    for edge in (0.2, 0.5, 0.8):
        rate = process.rate(beamline).value * events.weight * (y > edge)
        expected = interactions_above(np.array([edge, 0.97])) @ [1, -1]
        assert abs(rate.mean() - expected) < 5 * rate.std() / np.sqrt(len(y))
    assert np.all(conserved(events) < 0.01)


def test_leading_neutrals_follow_the_leading_particle_spectrum(beamline, rng):
    process = NeutralPunchThrough(transfer=EnergyTransfer(low=0.5, high=1.0), leading=0.6, power=2)
    events = process.generate(20_000, beamline, rng)
    assert events.weight.mean() == pytest.approx(1, abs=0.05)
    assert process.rate(beamline).value == pytest.approx(1.7e-4 * 0.2 * 0.4**3, rel=0.01)
    taken = events.track.p - events.particles.energy[first_of(events)]
    neutral = np.isin(events.particles.pdg, (2112, 130))
    share = np.bincount(events.particles.event, events.particles.energy * neutral, minlength=20_000) / taken
    shared = share < 0.999  # else there are no soft particles, and the leading one has it all
    harder = np.average(share[shared] > 0.8, weights=events.weight[shared])
    assert harder == pytest.approx(0.5**3, abs=0.02)


def test_forced_srd_fakes_have_small_weights(beamline, rng):
    events = BeamHadron(species={-211: 1.0}).generate(20_000, beamline, rng)
    forced = events.truth["srd_forced"]
    assert forced.mean() == pytest.approx(0.5, abs=0.02)
    assert np.unique(events.weight[forced]) == pytest.approx([4e-5])
    assert np.unique(events.weight[~forced]) == pytest.approx([2.0], rel=1e-4)
    assert events.weight[forced].sum() / events.weight.sum() == pytest.approx(2e-5, rel=0.05)


@pytest.mark.parametrize("contamination", [{}, {-321: 1e-3}])
def test_mixtures_of_hadrons_have_the_rate_of_each_species(contamination, beamline, rng):
    process = BeamHadron(species={-211: 0.7, -321: 0.3}, contamination=contamination)
    events = process.generate(20_000, beamline, rng)
    assert (events.track.pdg == -321).mean() == pytest.approx(0.3, abs=0.02)
    for pdg, natural in {-211: 3e-3, -321: 9e-6, **contamination}.items():
        expected = process.rate(beamline).value * (events.weight * (events.track.pdg == pdg)).sum() / len(events)
        assert expected == pytest.approx(natural, rel=0.05)


def test_hadrons_that_the_beam_is_not_known_to_have(beamline, rng):
    for pdg in (-2212, 211, 2112):
        process = BeamHadron(species={-211: 1, pdg: 1})
        for call in (process.rate, lambda beam, process=process: process.generate(3, beam, rng)):
            with pytest.raises(
                ConfigError, match=rf"'species': how many {pdg} the beam has .* only -211, -321; choose"
            ):
                call(beamline)
    process = BeamHadron(species={-2212: 1}, contamination={-2212: 1e-5})
    assert process.rate(beamline).value == 1e-5
    assert np.isfinite(process.generate(50, beamline, rng).weight).all()


@pytest.mark.parametrize(
    ("setup", "contaminations"),
    [("na64e_reference", (3e-3, 9e-6, 4e-4)), ("na64e_positron_2022", (3e-2, 9e-5, 4e-4))],
)
def test_mixtures_of_decays_have_the_rate_of_each_channel(setup, contaminations, beamline_of, rng):
    beam, process = beamline_of(setup, 6500), DecayInFlight()
    events = process.generate(20_000, beam, rng)
    parents = np.abs(events.truth["parent_pdg"])
    assert [(parents == pdg).mean() for pdg in (211, 321, 13)] == pytest.approx([0.15, 0.35, 0.5], abs=0.02)
    sign = 1 if setup == "na64e_positron_2022" else -1
    assert set(events.track.pdg.tolist()) == {sign * 211, sign * 321, -sign * 13}
    assert set(events.particles.pdg.tolist()) == {-sign * 11, 22}
    for pdg, branching, contamination in zip((211, 321, 13), (1.23e-4, 5.07e-2, 1.0), contaminations, strict=True):
        expected = process.rate(beam).value * (events.weight * (parents == pdg)).sum() / len(events)
        natural = contamination * branching * decay_probability(pdg, 100.0, 19500.0)
        assert expected == pytest.approx(natural, rel=0.06)
    alone = DecayInFlight(mix={"mu_enunu": 1.0}).generate(500, beam, rng)
    assert np.unique(alone.weight) == pytest.approx([4e-5, 2.0], rel=1e-4)


def test_mixtures_and_the_natural_mix_of_decays_agree(beamline, rng):
    """Expected decays per electron, by the energy that is seen."""
    names = ("pi_enu", "pi_munu", "k_pi0enu", "k_pipi0", "k_munu", "mu_enunu")
    mixed, natural = DecayInFlight(mix=dict.fromkeys(names, 1.0)), DecayInFlight(mix="nature")
    assert mixed.rate(beamline).value == pytest.approx(natural.rate(beamline).value)
    found = []
    for process in (mixed, natural):
        events = process.generate(20_000, beamline, rng)
        seen = events.track.p - events.truth["invisible_energy"]
        edges = np.array([0, 50, 60, 70, 80, 90, 120])
        sums = [np.histogram(seen, edges, weights=events.weight**k)[0] for k in (1, 2)]
        found.append((sums[0] / 20_000, sums[1] / 20_000**2))
    assert np.all(np.abs(found[0][0] - found[1][0]) < 5 * np.sqrt(found[0][1] + found[1][1]))


def test_hadrons_have_the_charge_of_the_beam(beamline_of, beamline, rng):
    assert set(BeamHadron().generate(2000, beamline, rng).track.pdg.tolist()) <= {-211, -321, -2212}
    positrons = beamline_of("na64e_positron_2022", 6500)
    assert set(BeamHadron().generate(2000, positrons, rng).track.pdg.tolist()) <= {211, 321, 2212}


def test_wrong_momenta_are_low_and_forced(beamline, rng):
    events = MomentumMisreconstruction(momentum=(20, 40)).generate(500, beamline, rng)
    assert events.truth["momentum_forced"].all()
    assert 20 <= events.track.p.min() <= events.track.p.max() <= 40


def test_borders_of_cells_are_hit_with_the_weights_of_the_beam(beamline, rng):
    events = NonHermeticity(margin=3.0).generate(20_000, beamline, rng)
    target = beamline.setup.target_calorimeter
    width, corner = target.cell_size.value[0], np.array(target.centre.value) - 3 * target.cell_size.value[0]

    def near(impact):
        distance = np.abs((impact - corner + width / 2) % width - width / 2)
        return (distance < 3.0).any(axis=1)

    assert near(events.track.impact).all()
    beam = beamline.particles(200_000, rng).impact
    assert abs(events.weight.mean() - near(beam).mean()) < 5 * events.weight.std() / np.sqrt(len(events))
    mean = np.average(events.track.impact[:, 0], weights=events.weight)
    error = events.track.impact[:, 0].std() / np.sqrt(events.weight.sum() ** 2 / (events.weight**2).sum())
    assert abs(mean - beam[near(beam), 0].mean()) < 5 * error


def test_pile_up(beamline, rng):
    event, dt, second = PileUp(probability=0.2, window=40).overlay(5000, beamline, rng)
    assert len(event) == len(dt) == len(second) == pytest.approx(1000, abs=130)
    assert len(np.unique(event)) == len(event)
    assert np.abs(dt).max() < 40
    assert accidental_probability(1.35e6, 10.0) == pytest.approx(0.027, abs=0.0005)


def test_k0s_and_their_rate(beamline_of, rng):
    """Leading-particle spectrum of natural transfers, and the weights against free decays."""
    beam, process = beamline_of("na64e_visible_2018", 4250), KShortDecay(low=0.4)
    events = process.generate(20_000, beam, rng)
    energy = np.bincount(events.particles.event, events.particles.energy * events.particles.secondary, minlength=20_000)
    share = energy / events.track.p
    edges = np.linspace(0.3, 1.0, 4001)
    y, taken = (edges[1:] + edges[:-1]) / 2, -np.diff(interactions_above(edges))
    above = {low: (taken * np.clip(1 - low / y, 0, 1) ** 3).sum() for low in (0.4, 0.6)}
    assert process.rate(beam).value == pytest.approx(above[0.4] * 0.05 * 0.3069, rel=0.01)
    assert (share > 0.6).mean() == pytest.approx(above[0.6] / above[0.4], abs=0.015)
    momentum = np.sqrt(energy**2 - float(mass(310)) ** 2)
    free = rng.uniform(-3765, -3600, 20_000) + rng.exponential(momentum / float(mass(310)) * 26.84)
    natural = ((free > -3600) & (free < 0)).mean()
    assert abs(events.weight.mean() - natural) < 5 * np.hypot(events.weight.std(), 0.5) / np.sqrt(20_000)


def test_photons_of_k0s_have_its_energy(beamline_of, rng):
    beam = beamline_of("na64e_visible_2017", 3500)
    events = KShortDecay().generate(400, beam, rng)
    photons = counts(events, 22)
    assert photons.max() == 4
    assert (photons == 4).mean() > 0.9
    assert np.all((events.weight > 0) & (events.weight < 1))
    total = np.bincount(events.particles.event, events.particles.energy)
    np.testing.assert_allclose(total, events.track.p, atol=0.15)
