import numpy as np
import pytest

from na64ml.errors import ConfigError
from na64ml.simulation.generated import GeneratedEvents, join_events
from na64ml.simulation.particles import Particles, charge, join, mass
from na64ml.simulation.processes.electroproduction import Electroproduction


def test_masses_and_charges_are_those_of_the_pdg():
    np.testing.assert_allclose(mass([11, 211, 2112, 22]), [0.000510999, 0.139570, 0.939565, 0.0], atol=1e-6)
    np.testing.assert_array_equal(charge([11, -11, 211, 22, -2212]), [-1, 1, 1, 0, -1])


@pytest.mark.parametrize("number", [999999, 99999999])
def test_unknown_particles_are_named(number):
    with pytest.raises(ConfigError, match=f"PDG number {number}: no such particle"):
        mass([number])


def test_particles_are_sorted_by_event_and_keep_their_order_inside():
    particles = join(
        Particles.build([0, 1], 11, [0, 0, 0], [0, 0, 50.0]),
        Particles.build([1, 0, 0], [22, 211, 130], [0, 0, 0], [0, 0, 1.0], secondary=True),
    )
    assert particles.event.tolist() == [0, 0, 0, 1, 1]
    assert particles.pdg.tolist() == [11, 211, 130, 11, 22]
    assert particles.secondary.tolist() == [False, True, True, False, True]
    np.testing.assert_allclose(particles.kinetic_energy + mass(particles.pdg), particles.energy)


def test_straight_lines():
    particle = Particles.build([0], 22, [1.0, 2.0, -100.0], [0.01, -0.02, 1.0])
    np.testing.assert_allclose(particle.at(0.0), [[2.0, 0.0]])


def test_selected_and_joined_events_keep_their_particles(beamline, rng):
    events = Electroproduction().generate(50, beamline, rng)
    order = rng.permutation(50)
    parts = [events.select(order[:20]), events.select(order[20:])]
    joined = join_events(parts)
    np.testing.assert_array_equal(joined.track.p, events.track.p[order])
    for new, old in ((0, order[0]), (30, order[30]), (49, order[49])):
        ours, theirs = joined.particles, events.particles
        np.testing.assert_array_equal(ours.momentum[ours.event == new], theirs.momentum[theirs.event == old])
    np.testing.assert_array_equal(joined.truth["vertex_z"], events.truth["vertex_z"][order])


def test_truth_of_wrong_length_is_refused(beamline, rng):
    track = beamline.particles(3, rng)
    with pytest.raises(ValueError, match="mass"):
        GeneratedEvents(track, Particles.build([0], 11, [0, 0, 0], [0, 0, 1]), np.ones(3), {"mass": np.zeros(2)})
