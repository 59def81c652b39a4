import numpy as np
import pytest
from scipy.integrate import dblquad, quad

from na64ml.selection.lateral_profile import LateralProfile, gflash_profile, quadrant_integral


def density(x: float, y: float, radius: float) -> float:
    return radius**2 / (np.pi * (x**2 + y**2 + radius**2) ** 2)


@pytest.mark.parametrize("corner", [(3.0, 5.0), (38.2, 1.0), (-4.0, 19.1)])
def test_integral_over_a_rectangle_is_that_of_the_density(corner):
    x, y = corner
    expected, _ = dblquad(lambda v, u: density(u, v, 6.0), 0, x, 0, y)
    assert quadrant_integral(np.array(x), np.array(y), 6.0) == pytest.approx(expected, rel=1e-7)


def test_density_belongs_to_the_radial_profile():
    # physics.md 5.3: f(r) = 2 r R^2 / (r^2 + R^2)^2, integrated over the ring 2 to 9 mm
    radial, _ = quad(lambda r: 2 * r * 36 / (r**2 + 36) ** 2, 2, 9)
    ring, _ = quad(lambda r: 2 * np.pi * r * density(r, 0.0, 6.0), 2, 9)
    assert ring == pytest.approx(radial)


def test_a_quadrant_holds_a_quarter():
    assert quadrant_integral(np.array(1e9), np.array(1e9), 6.0) == pytest.approx(0.25, abs=1e-7)
    assert quadrant_integral(np.array(-1e9), np.array(1e9), 6.0) == pytest.approx(-0.25, abs=1e-7)


def test_cell_fractions_are_integrals_of_both_components():
    profile = LateralProfile(core=5.0, tail=20.0, core_weight=0.7)
    edges_x = np.array([[-57.3, -19.1, 19.1, 57.3]]) - 4.0
    edges_y = np.array([[-57.3, -19.1, 19.1]]) - 3.0
    fractions = profile.cell_fractions(edges_x, edges_y)
    assert fractions.shape == (1, 3, 2)
    expected, _ = dblquad(lambda y, x: 0.7 * density(x, y, 5.0) + 0.3 * density(x, y, 20.0), 15.1, 53.3, -60.3, -22.1)
    assert fractions[0, 2, 0] == pytest.approx(expected, rel=1e-6)


def test_a_large_grid_holds_everything():
    edges = np.linspace(-1e5, 1e5, 201)[None]
    profile = LateralProfile(core=5.0, tail=20.0, core_weight=0.7)
    assert profile.cell_fractions(edges, edges).sum() == pytest.approx(1, abs=1e-4)


def test_gflash_radii_grow_with_depth_and_scale():
    shallow = gflash_profile(50, 0.7, 75.6, 28.3, 3.69, 0.651, 1.0)
    deep = gflash_profile(50, 1.5, 75.6, 28.3, 3.69, 0.651, 1.0)
    wide = gflash_profile(50, 1.5, 75.6, 28.3, 3.69, 0.651, 1.6)
    assert deep.core > shallow.core
    assert 0 < deep.core_weight < shallow.core_weight <= 1
    assert wide.core == pytest.approx(1.6 * deep.core)
    assert wide.tail == pytest.approx(1.6 * deep.tail)
