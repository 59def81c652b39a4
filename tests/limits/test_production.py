"""Cross-sections, spectra, track lengths and yields against published numbers."""

import numpy as np
import pytest

from na64ml.limits.production.annihilation import annihilation, narrow_annihilation
from na64ml.limits.production.bremsstrahlung import bremsstrahlung
from na64ml.limits.production.emission import Emission
from na64ml.limits.production.flight import decay_behind, decay_inside
from na64ml.limits.production.mediators import density
from na64ml.limits.production.muons import muon_bremsstrahlung, muon_spectrum
from na64ml.limits.production.showers import shower
from na64ml.limits.production.target import TARGETS
from na64ml.simulation.particles import mass
from na64ml.simulation.processes import weizsaecker_williams
from na64ml.simulation.processes.positron_annihilation import PositronAnnihilation
from na64ml.simulation.processes.tree_level import cross_section


def test_vector_spectrum_is_that_of_the_simulation() -> None:
    x, expected = weizsaecker_williams.spectrum(0.05, 100.0)
    inside = (x > 0.01) & (x < 0.999)
    found = density("vector", 0.05, float(mass(11)), np.array([100.0]), x[None])[0]
    ratio = found[inside] / expected[inside]
    assert ratio == pytest.approx(np.full(len(ratio), ratio[0]), rel=1e-6)
    axial = density("scalar", 0.05, float(mass(11)), np.array([100.0]), x[None])[0][inside] / expected[inside]
    assert axial.max() / axial.min() > 2, "a scalar has another spectrum"


@pytest.mark.parametrize(("boson", "share"), [(0.001, 0.79), (0.01, 0.935), (0.1, 0.963), (1.0, 0.974)])
def test_share_above_half_the_beam_energy(boson: float, share: float) -> None:
    x, dndx = weizsaecker_williams.spectrum(boson, 100.0)
    found = density("vector", boson, float(mass(11)), np.array([100.0]), x[None])[0]
    above = np.where(x > 0.5, found, 0.0)
    assert np.trapezoid(above, x) / np.trapezoid(found, x) == pytest.approx(share, abs=0.01)
    assert len(dndx) == len(x)


def test_track_lengths_meet_the_table_and_scale_with_the_beam() -> None:
    made = shower(100.0)
    assert made.primary[made.energy > 50].sum() == pytest.approx(0.82, rel=0.07)
    per_gev = made.secondary / made.width
    for energy, expected in {40.0: 7.2e-3, 50.0: 3.2e-3, 60.0: 1.4e-3, 80.0: 2.3e-4}.items():
        assert np.interp(energy, made.energy, per_gev) == pytest.approx(expected, rel=0.02)
    assert shower(50.0).secondary == pytest.approx(made.secondary, rel=1e-3)


def seen(emission: Emission, threshold: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.asarray(np.where(emission.energy > threshold, emission.rate, 0.0).sum(axis=1))


def test_yield_of_the_closed_form() -> None:
    masses = np.array([0.001, 0.0103, 0.0997])
    found = seen(bremsstrahlung("vector", masses, 100.0, "Pb", False, 40.0), 50.0)
    assert found == pytest.approx([1.91e-1, 1.03e-2, 1.37e-4], rel=0.10)


def test_binning_loses_nothing() -> None:
    masses = np.array([0.02])
    emission = bremsstrahlung("vector", masses, 100.0, "Pb", False, 2.0)
    made = shower(100.0)
    total = made.primary @ cross_section(0.02, made.energy) * TARGETS["Pb"].per_pb
    assert emission.total[0] == pytest.approx(total, rel=0.02)


def test_resonance_alone_gives_the_closure_of_the_limit() -> None:
    masses = np.array([0.23, 0.25])
    found = seen(annihilation(masses, 100.0, False, "Pb", PositronAnnihilation()), 50.0)
    assert np.sqrt(2.3 / (2.84e11 * 0.5 * found)) == pytest.approx([2.25e-4, 2.84e-4], rel=0.05)


def test_narrow_resonance_is_the_limit_of_a_wide_one() -> None:
    masses = np.array([0.25])
    template = PositronAnnihilation(alpha_dark=1e-5)
    wide = annihilation(masses, 100.0, True, "Pb", template).total
    electron_width = 1 / 137.035999 * masses / 3
    narrow = narrow_annihilation(masses, 100.0, True, "Pb", electron_width, np.ones(1)).total
    assert wide == pytest.approx(narrow, rel=0.02)


def test_positron_beam_gains_by_the_ratio_of_track_lengths() -> None:
    masses, template = np.array([0.248, 0.286]), PositronAnnihilation(alpha_dark=1e-4)
    beams = [annihilation(masses, 100.0, positrons, "Pb", template).total for positrons in (True, False)]
    assert beams[0] / beams[1] == pytest.approx([10, 50], rel=0.25)  # physics.md 4.4 [C]


def test_nothing_resonates_above_the_beam() -> None:
    template = PositronAnnihilation(alpha_dark=1e-4)
    inside, above = annihilation(np.array([0.25, 0.40]), 100.0, True, "Pb", template).total
    assert above < 1e-4 * inside
    assert narrow_annihilation(np.array([0.40]), 100.0, True, "Pb", np.ones(1), np.ones(1)).total[0] == 0


def test_muons_radiate_less_at_larger_mass_and_in_thinner_targets() -> None:
    masses = np.array([0.01, 0.1, 1.0])
    thick = muon_bremsstrahlung("vector", masses, 160.0, "Pb", 40.0).total
    assert (np.diff(thick) < 0).all()
    assert muon_bremsstrahlung("vector", masses, 160.0, "Pb", 20.0).total == pytest.approx(thick / 2)


def test_muon_cross_section_is_near_the_improved_approximation() -> None:
    boson, energy, target = 0.2, 160.0, TARGETS["Pb"]
    logarithm, x, exact = muon_spectrum("vector", boson, energy)
    shape = density("vector", boson, float(mass(13)), np.array([energy]), x)
    chi = target.flux(np.array(boson**4 / (4 * energy**2)), np.array(boson**2 + float(mass(13)) ** 2))
    improved = (1 / 137.035999) ** 3 * float(chi) * shape * 3.894e8
    totals = [float(np.trapezoid(one * (1 - x), logarithm, axis=1)[0]) for one in (exact, improved)]
    assert 0.5 < totals[0] / totals[1] <= 1.02, "the flux of the smallest t_min overestimates"


def test_decay_probabilities_add_up() -> None:
    length = np.array([100.0, 2000.0, 1e9])
    inside, behind = decay_inside(length, 500.0, 3000.0), decay_behind(length, 3500.0)
    assert inside + behind == pytest.approx(np.exp(-500.0 / length))
