"""Cross-sections against the integral they come from and against published numbers."""

import numpy as np
import pytest
from scipy.integrate import quad

from na64ml.simulation.particles import mass
from na64ml.simulation.processes.tree_level import PB, cross_section, elastic_flux, mass_range, ratio_table

BENCHMARK = [
    *((0.001, e, x) for e, x in ((100, 2.124e5), (60, 2.12e5))),
    *((m, 100, x) for m, x in ((0.002, 9.128e4), (0.004, 3.507e4), (0.006, 1.908e4), (0.008, 1.216e4))),
    *((0.01, e, x) for e, x in ((100, 8486), (80, 8449), (60, 8390))),
    *((0.02, e, x) for e, x in ((100, 2621), (80, 2589), (60, 2541))),
    (0.03, 100, 1258),
    *((0.05, e, x) for e, x in ((100, 467), (80, 449.6), (60, 425.5))),
    *((0.1, e, x) for e, x in ((100, 106), (80, 99.7), (60, 91.6))),
    *((0.2, e, x) for e, x in ((100, 20.7), (80, 19.0), (60, 16.9))),
    *((0.3, e, x) for e, x in ((100, 7.37), (80, 6.65), (60, 5.76))),
    *((0.5, e, x) for e, x in ((100, 1.80), (80, 1.57), (60, 1.29))),
    (0.7, 100, 0.645),
    *((1.0, e, x) for e, x in ((100, 0.192), (80, 0.153), (60, 0.111))),
    (0.0167, 150, 3643),
]
"""Exact tree-level cross-sections in lead by mass and energy in GeV, in pb for a mixing of 1e-4, physics.md 4.1."""


K = {
    0.001: 0.605, 0.002: 0.832, 0.01: 1.083, 0.02: 1.200, 0.05: 1.443, 0.1: 1.651, 0.2: 1.888, 0.3: 1.911, 0.5: 1.922,
    0.7: 1.992, 1.0: 2.144,
}  # fmt: skip
"""Improved approximation over exact tree level at 100 GeV, physics.md 4.1."""


def integrated_flux(t_min: float, t_max: float, z: float, a: float) -> float:
    """The integral of (t - t_min) G(t) / t², with a screened point charge and a nucleus of finite size."""
    atomic, nuclear = (float(mass(11)) / (111 * z ** (-1 / 3))) ** 2, 0.164 * a ** (-2 / 3)

    def integrand(logarithm: float) -> float:
        t = np.exp(logarithm)
        form = (z * t / (atomic + t) / (1 + t / nuclear)) ** 2
        return float(t * (t - t_min) * form / t**2)

    return quad(integrand, np.log(t_min), np.log(t_max), limit=500)[0]


@pytest.mark.parametrize(("z", "a"), [(82, 207.2), (74, 183.84)])
@pytest.mark.parametrize(("boson", "energy"), [(0.003, 100.0), (0.05, 50.0), (0.3, 100.0), (0.3, 20.0), (1.0, 100.0)])
def test_the_flux_is_the_integral(boson: float, energy: float, z: float, a: float) -> None:
    t_min, t_max = boson**4 / (4 * energy**2), boson**2
    expected = integrated_flux(t_min, t_max, z, a)
    assert elastic_flux(t_min, t_max, z, a) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("boson", "energy", "picobarn"), BENCHMARK)
def test_cross_sections_are_those_of_the_benchmark_table(boson: float, energy: float, picobarn: float) -> None:
    assert cross_section(boson, energy) * 1e-8 == pytest.approx(picobarn, rel=0.006)


@pytest.mark.parametrize(("boson", "ratio"), K.items())
def test_the_integral_over_the_benchmark_is_the_published_ratio(boson: float, ratio: float) -> None:
    """The table of K and that of cross-sections have only the flux in common."""
    alpha, energy = 1 / 137.035999, 100.0
    picobarn = next(value for m, e, value in BENCHMARK if (m, e) == (boson, energy))
    flux = elastic_flux(boson**4 / (4 * energy**2), boson**2, 82, 207)
    logarithm = -2 * np.log(max(float(mass(11)) / boson, boson / energy))
    improved = 4 / 3 * alpha**3 * 1e-8 * flux * np.sqrt(1 - (boson / energy) ** 2) * logarithm / boson**2 * PB
    assert improved / picobarn == pytest.approx(ratio, rel=0.05 if boson == 0.001 else 0.006)


def test_spins_and_the_range_of_the_table() -> None:
    energy = np.array([60.0, 100.0])
    vector, axial, scalar = (cross_section(1.0, energy, kind) for kind in ("vector", "axial", "scalar"))
    assert scalar / vector == pytest.approx(0.5, rel=0.2)
    assert axial / vector == pytest.approx(1.0, rel=0.2)
    assert mass_range() == (0.001, 1.0)


@pytest.mark.parametrize("boson", [0.001, 0.0167, 0.2, 1.0])
def test_outside_the_table_the_cross_section_goes_on_without_a_step(boson: float) -> None:
    energies = np.geomspace(2, 2000, 400)
    sigma = cross_section(boson, energies)
    assert np.all(np.diff(np.log(sigma)) > -1e-4)
    first, last = ratio_table().energies[0], ratio_table().energies[-1]
    for edge in (first, last):
        assert cross_section(boson, edge * 1.0001) == pytest.approx(cross_section(boson, edge * 0.9999), rel=1e-3)
    assert cross_section(boson, 1.005 * boson) == 0
