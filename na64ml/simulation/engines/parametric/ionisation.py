"""Ionisation of charged particles along straight tracks: Landau fluctuations, range, Bragg peak."""

from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.stats import landau

from na64ml.simulation.engines.parametric.constants import Constants
from na64ml.simulation.engines.parametric.rays import Rays
from na64ml.simulation.engines.parametric.table import Table

Float = NDArray[np.float64]
Int = NDArray[np.int64]

RANGE_MASS = 0.5
"""The range in units of the loss of fast particles is T² / (T + 0.5 m) [C: from dE/dx ~ β^-5/3, good to 5 %]."""

_XI = 0.1535e-3 * 0.5414 * 0.1032
"""Landau's ξ in GeV for each mm of plastic from 0.1535 MeV cm²/g, Z/A and density (PDG [M-H])."""

_PLASMA = 21.54e-9
"""Plasma energy of plastic in GeV (PDG [M-H])."""

_ELECTRON = 0.511e-3

SCATTERING = 0.0136
"""Multiple scattering: an angle of 13.6 MeV/p after one radiation length (physics.md 5.9), in GeV."""

_TABLE = 4096

MODE = -0.223
"""Most probable value of Landau's λ."""


def reach(kinetic: Float, mass: Float) -> Float:
    """Return the range in GeV of minimum-ionising loss."""
    return np.asarray(kinetic**2 / (kinetic + RANGE_MASS * mass))


def kinetic_left(remaining: Float, mass: Float) -> Float:
    """Return the kinetic energy in GeV of a particle with that much range left; inverse of `reach`."""
    remaining = np.clip(remaining, 0, None)
    return np.asarray((remaining + np.sqrt(remaining**2 + 4 * RANGE_MASS * mass * remaining)) / 2)


def minimum_ionising(plastic: Float, hardest: Float, rng: Generator) -> Float:
    """Return the visible energy in GeV of fast particles.

    Landau distribution with the density effect, MPV = ξ [ln(2 m ξ / (ħω)²) + 0.2] (PDG, [M-H]).

    Parameters
    ----------
    plastic
        Length in plastic in mm.
    hardest
        Visible energy in GeV above which losses are left to the showers that they make.
    """
    xi = _XI * np.maximum(plastic, 1e-3)
    most_probable = xi * (np.log(2 * _ELECTRON * xi / _PLASMA**2) + 0.2)
    probability, quantile = _landau_table()
    share = np.interp(hardest / xi, quantile, probability)
    draw = np.interp(share * rng.random(len(xi)), probability, quantile)
    return np.asarray(np.clip(most_probable + xi * (draw - MODE), 0.2 * most_probable, None))


def deposit_tracks(
    slot: Int, rays: Rays, kinetic: Float, mass: Float, end: Float, table: Table, c: Constants, rng: Generator
) -> None:
    """Put the visible ionisation of tracks into channels.

    Parameters
    ----------
    kinetic, mass
        Kinetic energy at the origin and mass in GeV, ``[n]``.
    end
        Path length in mm where the track ends, if it does not range out before.
    """
    leave = np.minimum(rays.leave, end[:, None])
    reached = reach(kinetic, mass)[:, None] > rays.loss[:, :-1]
    ray, step = np.nonzero((leave > rays.enter) & reached)
    if not len(ray):
        return
    box = rays.box[ray, step]
    media = rays.boxes.media
    enter, leave = rays.enter[ray, step], leave[ray, step]
    total = reach(kinetic, mass)[ray]
    first = rays.loss[ray, step]
    loss = np.minimum((leave - enter) * media["loss"][box], total - first)
    own = mass[ray]
    lost = kinetic_left(total - first, own) - kinetic_left(total - first - loss, own)
    length = loss / media["loss"][box]
    hardest = c.hard_loss_from.value * media["em_share"][box]
    fast = minimum_ionising(length * media["plastic"][box], hardest, rng) * media["track_response"][box]
    # Slow particles have no delta rays: the plastic holds its share of what they lose.
    slow = np.clip(lost / loss - 1, 0, 1)
    visible = (1 - slow) * fast * (lost / loss) + slow * lost * media["mip_share"][box]
    angle = rng.standard_normal((len(kinetic), 2)) * (SCATTERING / np.sqrt(kinetic**2 + 2 * kinetic * mass))[:, None]
    deep = rays.radiation[ray, step] + (leave - enter) / 2 * media["radiation"][box]
    # Two points on each chord, so that slanting tracks share their energy among cells.
    for part in (0.0, 0.5):
        path = enter + length * (part + 0.5 * rng.random(len(length)))
        where = rays.at(path, ray)
        lever = (path - rays.enter[ray, 0]) * np.sqrt(deep / 3)
        x, y = (where[:, axis] + angle[ray, axis] * lever for axis in (0, 1))
        table.add_points(slot[ray], box, x, y, visible / 2)


@cache
def _landau_table() -> tuple[Float, Float]:
    """Return probabilities and quantiles of Landau's λ, without the last thousandth.

    SciPy standardises the distribution as a stable one: λ = π/2 x + ln(π/2).
    """
    probability = np.linspace(1e-5, 0.999, _TABLE)
    return probability, np.asarray(np.pi / 2 * landau.ppf(probability) + np.log(np.pi / 2))
