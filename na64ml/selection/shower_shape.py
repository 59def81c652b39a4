"""Agreement of the ECAL cells with the lateral profile of one electromagnetic shower."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from na64ml.selection.ecal import ECAL, ecal_energy
from na64ml.selection.lateral_profile import LateralProfile, gflash_profile
from na64ml.selection.view import EventView, Floats


@dataclass(frozen=True)
class ShowerShape:
    """Expected lateral shape and its uncertainty.

    The shape is that of one depth and energy, since the measured radius does not depend on energy
    (physics.md 5.3 [V-data]).

    Parameters
    ----------
    energy
        Energy at which the profile is taken, GeV: the edge of the signal box.
    depth
        Depth in units of the shower maximum. Tuned [C] with ``radial_scale`` on dark photons and beam
        electrons above 10 GeV of run 6500 of the reference data, to a small median chi2 (scan of 0.5, 1.0
        and 1.5).
    radial_scale
        Factor on the radii; scan range 1.0-1.8 (physics.md 1.11 [C]), 1.6 matches dimuon data (5.3 [C]). The
        median chi2 is flat from 1.2 to 1.3; the mean share of the largest cell is then 0.74 where the events
        have 0.76, which 1.15 would match.
    flat
        Share of the energy in every cell from cross-talk and pile-up; 0-0.003 (physics.md 1.11 [C]).
    stochastic
        Relative resolution at 1 GeV, sqrt(GeV) (physics.md 5.4 [M-H]).
    gain
        Relative spread of cell gains (physics.md 5.4 [V-code]).
    noise
        Cell noise, GeV (physics.md 1.11 [?], the value of the reference data card).
    z, moliere_radius, fs, e_hat
        Effective atomic number, Moliere radius in mm and sampling constants of the ECAL (physics.md 5.1 [C]).
    """

    energy: float = 50.0
    depth: float = 1.5
    radial_scale: float = 1.25
    flat: float = 0.0
    stochastic: float = 0.10
    gain: float = 0.04
    noise: float = 0.020
    z: float = 75.6
    moliere_radius: float = 28.3
    fs: float = 3.69
    e_hat: float = 0.651

    @cached_property
    def profile(self) -> LateralProfile:
        """The lateral profile of these parameters."""
        return gflash_profile(
            self.energy, self.depth, self.z, self.moliere_radius, self.fs, self.e_hat, self.radial_scale
        )


DEFAULT_SHAPE = ShowerShape()


def expected_fractions(view: EventView, shape: ShowerShape = DEFAULT_SHAPE) -> Floats:
    """Return the expected share of E_ECAL in each cell, segments summed, ``[n_events, nx, ny]``."""
    edges = [_edges(view, axis) - view.impact_point[:, axis, None] for axis in (0, 1)]
    fractions = shape.profile.cell_fractions(edges[0], edges[1])
    n_cells = fractions.shape[1] * fractions.shape[2]
    expected: Floats = (1 - n_cells * shape.flat) * fractions + shape.flat
    return expected


def shower_chi2(view: EventView, shape: ShowerShape = DEFAULT_SHAPE) -> Floats:
    """Chi2 per ECAL cell of the lateral shower profile at the impact point (physics.md 2.1 step 11, 5.3).

    Mean over cells (segments summed) of (E_i - E f_i)^2 / V_i, where E = E_ECAL, f_i is the integral of the
    two-component profile over the cell and V_i = a^2 E f_i + (g E f_i)^2 + n^2 adds sampling, gain and noise.
    Undefined without ECAL energy or impact point. The profile is not fitted: position and energy are given.
    """
    view.require("ECAL.cells")
    energy = ecal_energy(view)[:, None, None]
    expected = energy * expected_fractions(view, shape)
    variance = shape.stochastic**2 * np.clip(expected, 0, None) + (shape.gain * expected) ** 2 + shape.noise**2
    pulls = (view.cells(ECAL).sum(axis=1) - expected) ** 2 / variance
    chi2 = pulls.mean(axis=(1, 2))
    return np.where(energy[:, 0, 0] > 0, chi2, np.nan)


def _edges(view: EventView, axis: int) -> NDArray[np.float64]:
    """Return the cell edges along x (0) or y (1), mm ``[n + 1]``."""
    detector = view.detector(ECAL)
    along = (slice(None), 0) if axis == 0 else (0, slice(None))
    centre = detector.channels.position.reshape(*detector.shape, 3)[-1][along][:, axis]
    width = detector.channels.size.reshape(*detector.shape, 3)[-1][along][:, axis]
    return np.append(centre - width / 2, centre[-1] + width[-1] / 2)
