"""Targets of physics.md 8 on digitised output of Geant4 with a setup of the experiment."""

import numpy as np
import pytest
from numpy.random import SeedSequence

from na64ml.setups.conditions import load_conditions
from na64ml.setups.digitisation import load_digitisation, shifted
from na64ml.setups.setup import load_setup
from na64ml.simulation.beamline import Beamline
from na64ml.simulation.digitisation import Digitiser
from na64ml.simulation.engines.geant4 import Geant4
from na64ml.simulation.generated import GeneratedEvents
from na64ml.simulation.particles import Particles

pytestmark = [pytest.mark.geant4, pytest.mark.slow]

NAME, RUN = "na64e_2018", 4000

CALIBRATED = {"ECAL.gain_spread": 0.0, "HCAL.gain_spread": 0.0}


@pytest.fixture(scope="module")
def measure(geant4):
    """Return the measured values of events of one or more equal particles at the beam spot."""
    setup, conditions = load_setup(NAME), load_conditions(NAME)
    beamline, transport = Beamline(setup, conditions.for_run(RUN)), Geant4().open(setup)
    readout = shifted(load_digitisation(conditions.digitisation), CALIBRATED)
    digitiser = Digitiser(setup, conditions, readout, RUN, SeedSequence(1))

    def run(pdg, energy, n, copies=1):
        rng = np.random.default_rng(3)
        track = beamline.particles(n, rng, end_z=0.0)
        event = np.repeat(np.arange(n), copies)
        particles = Particles.build(event, pdg, track.at(-1.0)[event], [0.0, 0.0, energy])
        generated = GeneratedEvents(track, particles, np.ones(n))
        return digitiser.digitise(generated, transport.run(particles, n, SeedSequence(7)), None, rng)

    return run


@pytest.fixture(scope="module")
def electrons(measure):
    """ECAL cells of 100 GeV electrons, ``[n, 2, 6, 6]``."""
    return measure(11, 100.0, 20)["ECAL_ene"]


def assert_mean(values, target, tolerance):
    error = values.std() / np.sqrt(len(values))
    assert abs(values.mean() - target) < tolerance + 2 * error


def test_energy_of_the_beam(electrons):
    """The scale of the ECAL holds with cross-talk and thresholds."""
    assert_mean(electrons.sum(axis=(1, 2, 3)), 100.0, 1.0)


def test_preshower_fraction_at_the_beam_energy(electrons):
    """Target 3: 0.059 at 100 GeV, within 10 %."""
    assert_mean(electrons[:, 0].sum(axis=(1, 2)) / electrons.sum(axis=(1, 2, 3)), 0.059, 0.0059)


def test_share_of_nine_cells(electrons, measure):
    """Target 4: 0.89 +- 0.03 in 3 x 3 cells, at two energies; 0.67 in the largest is met within 0.04."""
    for cells in (electrons, measure(11, 35.0, 25)["ECAL_ene"]):
        towers, total = cells.sum(axis=1), cells.sum(axis=(1, 2, 3))
        nine = towers[:, 2:5, 2:5].sum(axis=(1, 2)) / total
        assert nine.mean() == pytest.approx(0.89, abs=0.03)
        assert_mean(towers.max(axis=(1, 2)) / total, 0.67, 0.04)


def test_two_muons(measure):
    """Targets 5 and 6: 5.6 GeV in an HCAL module within 5 %, 21.4 MeV in a plane of the VETO within 10 %."""
    columns = measure(13, 30.0, 200, copies=2)
    modules = columns["HCAL_ene"].sum(axis=(2, 3))[:, :3]
    assert np.median(modules) == pytest.approx(5.6, rel=0.05)
    assert np.all(np.median(modules, axis=0) > 2 * 2.5)
    # A photomultiplier has the amplitude of the plane, which is their geometric mean (physics.md 1.3 [V-code]).
    plane = np.sqrt(columns["VETO_ene"][:, 2] * columns["VETO_ene"][:, 3])
    assert np.median(plane) == pytest.approx(0.0214, rel=0.1)
