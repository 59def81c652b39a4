"""Lateral profile of electromagnetic showers and its integral over rectangular cells."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def quadrant_integral(x: Floats, y: Floats, radius: float) -> Floats:
    """Integrate one profile component over the rectangle from the shower axis to ``(x, y)``.

    The component f(r) = 2 r R^2 / (r^2 + R^2)^2 (physics.md 5.3, hep-ex/0001020) has the surface density
    R^2 / (pi (r^2 + R^2)^2), whose integral over 0..x, 0..y is

        (1 / 2 pi) [x / a atan(y / a) + y / b atan(x / b)],  a = sqrt(x^2 + R^2),  b = sqrt(y^2 + R^2),

    odd in x and in y, and 1/4 over a whole quadrant.

    Parameters
    ----------
    x, y
        Corner relative to the shower axis, mm; they broadcast.
    radius
        R, mm.
    """
    a, b = np.sqrt(x**2 + radius**2), np.sqrt(y**2 + radius**2)
    integral: Floats = (x / a * np.arctan(y / a) + y / b * np.arctan(x / b)) / (2 * math.pi)
    return integral


@dataclass(frozen=True)
class LateralProfile:
    """Two-component radial profile p f(r; R_C) + (1 - p) f(r; R_T) (physics.md 5.3).

    Parameters
    ----------
    core, tail
        Radii R_C and R_T, mm.
    core_weight
        Share p of the core.
    """

    core: float
    tail: float
    core_weight: float

    def cell_fractions(self, edges_x: Floats, edges_y: Floats) -> Floats:
        """Return the share of the shower energy in each cell of a grid.

        Parameters
        ----------
        edges_x, edges_y
            Cell edges relative to the shower axis, mm ``[n_events, nx + 1]`` and ``[n_events, ny + 1]``.

        Returns
        -------
        float64 ``[n_events, nx, ny]``
        """
        x, y = edges_x[:, :, None], edges_y[:, None, :]
        corners = self.core_weight * quadrant_integral(x, y, self.core)
        corners = corners + (1 - self.core_weight) * quadrant_integral(x, y, self.tail)
        return np.diff(np.diff(corners, axis=1), axis=2)


def gflash_profile(
    energy: float, depth: float, z: float, moliere_radius: float, fs: float, e_hat: float, radial_scale: float
) -> LateralProfile:
    """Return the GFlash profile of a sampling calorimeter (physics.md 5.3 [V-code], hep-ex/0001020).

    Parameters
    ----------
    energy
        Shower energy, GeV.
    depth
        tau = t / T, depth in units of the shower maximum.
    z
        Effective atomic number.
    moliere_radius
        mm.
    fs, e_hat
        Sampling frequency F_S and e_hat of physics.md 5.1.
    radial_scale
        Factor on both radii.
    """
    log_e = math.log(energy)
    core = 0.0251 + 0.00319 * log_e + (0.1162 - 0.000381 * z) * depth
    core += -0.0203 * (1 - e_hat) + 0.0397 / fs * math.exp(-depth)
    k1, k2, k3, k4 = 0.659 - 0.00309 * z, 0.645, -2.59, 0.3585 + 0.0421 * log_e
    tail = k1 * (math.exp(k3 * (depth - k2)) + math.exp(k4 * (depth - k2)))
    tail += -0.14 * (1 - e_hat) - 0.495 / fs * math.exp(-depth)
    p1, p2, p3 = 2.632 - 0.00094 * z, 0.401 + 0.00187 * z, 1.313 - 0.0686 * log_e
    reduced = (p2 - depth) / p3
    weight = p1 * math.exp(reduced - math.exp(reduced))
    weight += (1 - e_hat) * (0.348 - 0.642 / fs * math.exp(-((depth - 1) ** 2)))
    scale = moliere_radius * radial_scale
    return LateralProfile(core=core * scale, tail=tail * scale, core_weight=min(max(weight, 0.0), 1.0))
