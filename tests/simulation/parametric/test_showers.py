"""Physics of single particles in the reference setup, against its Geant4 numbers and the reproduction targets."""

import numpy as np
import pytest

EM_SHARE = 0.1087
"""Visible share of electrons in the ECAL, from the dataset card."""


def total(deposits, name):
    return deposits.visible[name].sum(axis=(1, 2))


@pytest.mark.parametrize(("pdg", "energy"), [(11, 0.2), (11, 5.0), (11, 100.0), (22, 0.5), (22, 50.0)])
def test_response_of_electrons_and_photons(pdg, energy, shoot):
    visible = total(shoot(pdg, energy, 1000), "ECAL") / energy / EM_SHARE
    assert visible.mean() == pytest.approx(1, abs=0.03 + 2 * visible.std() / np.sqrt(1000))


def test_resolution_of_electrons(shoot):
    """The sample has 8 %/sqrt(E) at 5-40 GeV."""
    visible = total(shoot(11, 20.0, 1000), "ECAL")
    assert visible.std() / visible.mean() * np.sqrt(20) == pytest.approx(0.083, rel=0.15)


@pytest.mark.parametrize(("energy", "fraction"), [(15, 0.149), (35, 0.095), (55, 0.073)])
def test_preshower_fraction(energy, fraction, shoot):
    """Reproduction target 2, within 10 %."""
    cells = shoot(11, float(energy), 1500, x=4.0, y=3.0).visible["ECAL"].sum(axis=1)
    preshower = cells[:, :36].sum(axis=1) / cells.sum(axis=1)
    assert preshower.mean() == pytest.approx(fraction, rel=0.1)


def test_photons_convert_before_they_shower(shoot):
    electrons, photons = (shoot(pdg, 50.0, 1000).visible["ECAL"].sum(axis=1)[:, :36].sum(axis=1) for pdg in (11, 22))
    assert photons.mean() < 0.75 * electrons.mean()
    assert (photons < 0.005).mean() > 0.02
    assert (electrons < 0.005).mean() == 0


def test_muons(shoot):
    """Medians of the sample: 0.50 GeV in the ECAL, 1.93 GeV in an HCAL module, 10.1 MeV in the VETO."""
    deposits = shoot(13, 40.0, 1000, x=-19.1, y=-19.1)
    assert np.median(total(deposits, "ECAL")) / EM_SHARE == pytest.approx(0.50, rel=0.1)
    assert np.median(deposits.visible["VETO"].sum(axis=1)[:, 2]) == pytest.approx(0.0101, rel=0.05)
    modules = deposits.visible["HCAL"].sum(axis=1).reshape(1000, 4, 9).sum(axis=2) / 0.0254
    np.testing.assert_allclose(np.median(modules[:, :3], axis=0), 1.93, rtol=0.06)
    assert modules[:, 3].max() < 0.06, "beside the axis there are soft particles alone, below the threshold of a cell"


def test_slow_muons_stop_and_fast_ones_sometimes_radiate(shoot):
    """A muon loses about 1.5 GeV in an HCAL module: 1 GeV stops in the first one."""
    slow, fast = shoot(13, 1.0, 200), shoot(13, 150.0, 3000)
    assert slow.visible["HCAL"].sum(axis=1)[:, 9:].sum() < 1e-4 * slow.visible["HCAL"].sum()
    ecal = total(fast, "ECAL") / EM_SHARE
    assert 0.001 < (ecal > 5).mean() < 0.05


def test_protons_leave_more_at_the_end_of_their_range(shoot):
    """A proton of 0.1 GeV stops in the preshower and leaves all it has."""
    cells = shoot(2212, 0.1, 400).visible["ECAL"].sum(axis=1)
    assert cells[:, 36:].sum() < 0.05 * cells.sum()
    assert cells.sum(axis=1).mean() / 0.1 == pytest.approx(0.1368, rel=0.15)


def test_pions_that_cross_the_ecal_as_a_mip(shoot):
    """The sample has 0.28 below 1.5 GeV at 12-120 GeV."""
    visible = total(shoot(-211, 20.0, 1500), "ECAL") / EM_SHARE
    assert (visible < 1.5).mean() == pytest.approx(0.28, abs=0.035)


def test_hadrons_leave_energy_in_ecal_and_hcal(shoot):
    for pdg in (-211, 2112, 130):
        deposits = shoot(pdg, 30.0, 300)
        ecal, hcal = total(deposits, "ECAL") / EM_SHARE / 30, total(deposits, "HCAL") / 0.0254 / 30
        assert (ecal + hcal).mean() == pytest.approx(0.95, abs=0.06)
        assert np.corrcoef(ecal, hcal)[0, 1] < -0.8
        assert 0.2 < ecal.std() < 0.35


def test_neutral_hadrons_leave_no_track_before_they_interact(shoot):
    neutron, pion = (shoot(pdg, 10.0, 300).visible["ECAL"].sum(axis=1)[:, :36].sum(axis=1) for pdg in (2112, -211))
    assert (neutron == 0).mean() > 0.5
    assert (pion == 0).mean() == 0


def test_slanting_muons_share_their_energy_among_cells_along_the_line(shoot):
    """At 0.2 rad the track moves by 90 mm through the ECAL, more than two cells."""
    cells = shoot(13, 20.0, 200, direction=(0.2, 0.0, 1.0)).visible["ECAL"].sum(axis=1).reshape(200, 2, 6, 6)
    columns = cells.sum(axis=(1, 3)).mean(axis=0)
    assert columns[3:6].min() > 0.1 * columns.sum()
    assert columns[:2].sum() < 0.1 * columns.sum()


def test_k0s_decay_before_the_target(shoot):
    """From 20 m upstream, K0S of 5 GeV decay; half of the energy of pi0 pairs is seen as photons."""
    visible = total(shoot(310, 5.0, 500, z=-20000.0), "ECAL")
    assert len(shoot(310, 5.0, 200, z=-20000.0).crossings.event) > 10
    assert visible.mean() > 0
