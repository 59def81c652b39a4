"""Profiles of electromagnetic showers: GFlash (physics.md 5.1 and 5.3) with fitted corrections."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import gammainc, gammaln

from na64ml.simulation.engines.parametric.constants import Constants
from na64ml.simulation.engines.parametric.rays import Rays

Float = NDArray[np.float64]
Int = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Profile:
    """Longitudinal profile and medium of showers, ``[n]`` each.

    Parameters
    ----------
    energy
        In GeV.
    start
        Depth in radiation lengths where the shower starts.
    maximum, alpha, beta
        Depth of the maximum behind the start in radiation lengths, and parameters of the gamma distribution.
    z, e_hat, inverse_frequency, moliere
        Of the medium, see `~na64ml.simulation.engines.parametric.medium.Medium`.
    tracks
        Visible energy in thin plastic, where the shower only passes, over the energy it would leave in the medium in
        the same number of radiation lengths.
    """

    energy: Float
    start: Float
    maximum: Float
    alpha: Float
    beta: Float
    z: Float
    e_hat: Float
    inverse_frequency: Float
    moliere: Float
    tracks: Float

    def select(self, which: NDArray[np.bool_] | Int) -> "Profile":
        """Return the chosen showers."""
        return Profile(**{name: getattr(self, name)[which] for name in self.__dataclass_fields__})


def sample_profiles(rays: Rays, energy: Float, photon: NDArray[np.bool_], c: Constants, rng: Generator) -> Profile:
    """Draw the longitudinal profile of each shower; photons convert first, to a pair that shares the energy."""
    n = len(rays)
    start = np.where(photon, rng.exponential(conversion_length(energy)), 0.0)
    # The medium one radiation length behind the start decides: the shower ignores thin counters in front.
    step, _ = rays.locate("radiation", start + 1.0)
    z, e_hat, inverse, critical, moliere, tracks = (
        rays.property(name, step) for name in ("z", "e_hat", "inverse_frequency", "critical", "moliere", "tracks")
    )
    ln_y = np.log(np.maximum(energy / critical * np.exp(-c.pair_logarithm.value * photon), 1.5))
    maximum = ln_y - 0.812 - 0.55 * inverse - 0.69 * (1 - e_hat)
    maximum += c.maximum_shift.value + c.maximum_slope.value * np.log(energy / 20)
    alpha = 0.81 + (0.458 + 2.26 / z) * ln_y - 0.476 * inverse + c.alpha_shift.value
    sigma_t = c.maximum_spread.value / np.maximum(-2.5 + 1.25 * ln_y, 1.0)
    sigma_alpha = c.alpha_spread.value / np.maximum(-0.82 + 0.79 * ln_y, 1.0)
    rho = c.correlation.value * np.clip(0.784 - 0.023 * ln_y, 0, 0.99)
    one, other = rng.standard_normal((2, n))
    other = rho * one + np.sqrt(1 - rho**2) * other
    maximum = np.maximum(maximum, 0.4) * np.exp(sigma_t * one)
    alpha = np.maximum(np.maximum(alpha, 1.4) * np.exp(sigma_alpha * other), 1.1)
    return Profile(energy, start, maximum, alpha, (alpha - 1) / maximum, z, e_hat, inverse, moliere, tracks)


def conversion_length(energy: Float) -> Float:
    """Return the mean depth in radiation lengths at which photons convert: 9/7, more below 1 GeV (NIST, lead [M-M])."""
    return np.asarray(9 / 7 * (1 + (0.0172 / np.maximum(energy, 1e-3)) ** 0.684))


def contained(p: Profile, depth: Float, c: Constants) -> tuple[Float, Float]:
    """Return the share of the energy up to each depth, and its first moment in radiation lengths.

    The gamma distribution holds until it falls faster than photons are absorbed; from there on the profile falls
    exponentially with their longest absorption length.

    Parameters
    ----------
    depth
        ``[n, k]``: depth behind the start in radiation lengths.
    """
    alpha, beta = p.alpha[:, None], p.beta[:, None]
    slope = 1 / (c.absorption.value * (p.z[:, None] / 82) ** 0.4)
    change = np.where(beta > slope, (alpha - 1) / np.maximum(beta - slope, 1e-6), np.inf)
    change = np.minimum(change, 200.0)
    scaled = beta * np.column_stack([change, np.minimum(depth, change)])
    share = gammainc(alpha, scaled)
    with np.errstate(divide="ignore"):
        term = np.exp(alpha * np.log(scaled) - scaled - gammaln(alpha + 1))
    # P(a + 1, x) = P(a, x) - x^a e^-x / Gamma(a + 1)
    moment = (share - term) * alpha / beta
    height = term[:, :1] * alpha / change
    fall = np.exp(-slope * np.clip(depth - change, 0, None))
    tail = height / slope
    norm = share[:, :1] + tail
    share = (share[:, 1:] + tail * (1 - fall)) / norm
    later = np.maximum(depth, change)
    moment = (moment[:, 1:] + tail * (change + 1 / slope - (later + 1 / slope) * fall)) / norm
    return share, moment


def lateral(p: Profile, tau: Float, c: Constants, scale: float) -> tuple[Float, Float, Float]:
    """Return the radii of core and tail in mm and the share of the core.

    Parameters
    ----------
    p
        The showers.
    tau
        Depth over the depth of the maximum.
    scale
        Nuisance parameter: all radii are multiplied by it.
    """
    ln_e = np.log(np.maximum(p.energy, 0.05))
    tau = np.minimum(tau, 4.0)
    late = np.exp(-tau) * p.inverse_frequency
    core = 0.0251 + 0.00319 * ln_e + (0.1162 - 0.000381 * p.z) * tau
    k1, k4 = 0.659 - 0.00309 * p.z, 0.3585 + 0.0421 * ln_e
    tail = k1 * (np.exp(-2.59 * (tau - 0.645)) + np.exp(k4 * (tau - 0.645)))
    p1, p2, p3 = 2.632 - 0.00094 * p.z, 0.401 + 0.00187 * p.z, np.maximum(1.313 - 0.0686 * ln_e, 0.5)
    share = p1 * np.exp((p2 - tau) / p3 - np.exp((p2 - tau) / p3))
    core += -0.0203 * (1 - p.e_hat) + 0.0397 * late
    tail += -0.14 * (1 - p.e_hat) - 0.495 * late
    share += (1 - p.e_hat) * (0.348 - 0.642 * p.inverse_frequency * np.exp(-((tau - 1) ** 2)))
    early = np.exp(-2 * tau**2)
    share += c.core_share_shift.value * (1 - c.core_share_early.value * early)
    core = np.clip(core * (1 - c.core_early.value * early), 0.01, None) * c.core_scale.value
    tail = np.clip(tail, 0.1, 5.0) * (1 - c.tail_early.value * early) * c.tail_scale.value
    unit = p.moliere * scale
    return core * unit, np.maximum(tail, core) * unit, np.clip(share, 0.0, 0.99)
