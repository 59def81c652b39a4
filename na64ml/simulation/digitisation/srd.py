"""The synchrotron-radiation detector: a compound Poisson distribution, and the radiation itself (physics.md 5.7)."""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.constants import alpha

from na64ml.setups.digitisation import SRDReadout
from na64ml.simulation.particles import mass


class Radiation(NamedTuple):
    """Synchrotron radiation of one electron: number of photons, critical energy and loss in GeV."""

    photons: float
    critical_energy: float
    loss: float


def synchrotron_radiation(momentum: float, integral: float, length: float) -> Radiation:
    """Return what an electron radiates in a magnet (physics.md 5.7 [C]; PDG, accelerator physics).

    Parameters
    ----------
    momentum
        In GeV.
    integral, length
        B·dl in T m and the length of the field in m.
    """
    critical = 0.665e-6 * momentum**2 * integral / length
    bend = 0.3 * integral / momentum
    photons = 5 / (2 * np.sqrt(3)) * alpha * momentum / float(mass(11)) * bend
    mean_share = 8 / (15 * np.sqrt(3))  # 0.308, the mean photon energy over the critical one
    return Radiation(float(photons), critical, float(mean_share * critical * photons))


def digitise_modules(
    radiating_energy: NDArray[np.float64],
    reference_energy: float,
    n_modules: int,
    readout: SRDReadout,
    rng: Generator,
) -> NDArray[np.float64]:
    """Return the energy without noise of each module in GeV, ``[n_events, n_modules]``.

    The number of photons does not depend on the energy of the electron, their energies rise with its square
    (physics.md 5.7: E_crit, N_gamma).

    Parameters
    ----------
    radiating_energy
        Energy in GeV of the electron whose radiation is seen, 0 for none, ``[n_events]``.
    reference_energy
        Energy in GeV to which the parameters of the readout refer.
    """
    radiates = radiating_energy > 0
    photons = rng.poisson(readout.photons.value * radiates[:, None], (len(radiates), n_modules))
    scale = readout.visible.value / readout.shape.value * (radiating_energy / reference_energy) ** 2
    # The sum of k gamma variates of one scale is a gamma variate of k times the shape.
    return np.asarray(rng.standard_gamma(readout.shape.value * photons) * scale[:, None])
