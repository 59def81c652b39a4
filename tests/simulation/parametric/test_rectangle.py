"""The closed form of the lateral integral against numerical integration."""

import numpy as np
import pytest
from scipy.integrate import dblquad

from na64ml.simulation.engines.parametric.rectangle import shares


@pytest.mark.parametrize(
    ("x", "y", "radius"),
    [((-19.1, 19.1), (-19.1, 19.1), 5.0), ((3.0, 41.2), (-60.0, -20.0), 18.0), ((100.0, 300.0), (5.0, 6.0), 40.0)],
)
def test_share_of_a_rectangle(x, y, radius):
    def density(v, u):
        return radius**2 / np.pi / (u**2 + v**2 + radius**2) ** 2

    expected, _ = dblquad(density, *x, *y, epsabs=1e-11)
    got = shares(np.array([x]), np.array([y]), np.array([radius]))
    assert got[0, 0, 0] == pytest.approx(expected, rel=1e-6)
    wrong = shares(np.array([x]), np.array([y]), np.array([1.1 * radius]))
    assert wrong[0, 0, 0] != pytest.approx(expected, rel=1e-3)


def test_the_profile_is_that_of_the_published_radial_distribution():
    """f(r) = 2 r R² / (r² + R²)²: half of it lies within R."""
    rng = np.random.default_rng(1)
    uniform, azimuth = rng.random(200_000), rng.uniform(0, 2 * np.pi, 200_000)
    r = 10 * np.sqrt(uniform / (1 - uniform))
    inside = ((r * np.cos(azimuth) > 2) & (r * np.cos(azimuth) < 30) & (np.abs(r * np.sin(azimuth)) < 15)).mean()
    got = shares(np.array([[2.0, 30.0]]), np.array([[-15.0, 15.0]]), np.array([10.0]))
    assert got[0, 0, 0] == pytest.approx(inside, abs=0.004)


def test_all_cells_together_hold_everything():
    edges = np.array([[-1e6, -50.0, 0.0, 20.0, 1e6]])
    assert shares(edges, edges, np.array([12.0])).sum() == pytest.approx(1, abs=1e-9)
