"""Parametric transports of shipped setups, and beams of single particles."""

import numpy as np
import pytest
from numpy.random import SeedSequence

from na64ml.setups.setup import load_setup
from na64ml.simulation.engines.parametric import Parametric
from na64ml.simulation.engines.parametric.constants import load_constants
from na64ml.simulation.particles import Particles, mass


@pytest.fixture(scope="session")
def constants():
    return load_constants("default")


@pytest.fixture(scope="session")
def reference():
    return load_setup("na64e_reference")


@pytest.fixture(scope="session")
def transport(reference):
    return Parametric().open(reference)


@pytest.fixture(scope="session")
def shoot(transport):
    """Return deposits of n equal particles, along z unless told otherwise; ``energy`` is kinetic."""

    def run(pdg, energy, n, x=0.0, y=0.0, z=-1.0, seed=1, direction=(0.0, 0.0, 1.0), own=transport, **kwargs):
        momentum = np.sqrt(energy**2 + 2 * energy * float(mass(pdg)))
        unit = np.array(direction) / np.linalg.norm(direction)
        particles = Particles.build(np.arange(n), pdg, [x, y, z], momentum * unit, **kwargs)
        return own.run(particles, n, SeedSequence(seed))

    return run
