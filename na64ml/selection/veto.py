"""Signals in the VETO planes behind the ECAL, each read out by two photomultipliers."""

import numpy as np

from na64ml.errors import ConfigError
from na64ml.selection.view import EventView, Floats, sum_cells
from na64ml.setups.detectors import Counter

VETO = "VETO"

LOPSIDED = 0.3
"""Fraction of the signal of a MIP below which one photomultiplier is taken as dead (physics.md 1.3 [V-code])."""


def veto_energy(view: EventView) -> Floats:
    """Sum of all VETO photomultipliers, GeV."""
    return sum_cells(view.cells(VETO))


def veto_plane(view: EventView, plane: str) -> Floats:
    """Energy in one VETO plane (``veto_plane:0``), GeV: sqrt(a1 a2) / share of its two photomultipliers.

    ``share`` is the part of the deposit that each photomultiplier stores, a key of the setup: 2 sqrt(a1 a2)
    where each has half of it, so that two muons give the 21.4 MeV of physics.md 8 #6. If one is below 0.3 of
    its share of a MIP, the larger stands for both (physics.md 1.3 [V-code], "0.3 of scale"; that the scale is
    what a MIP leaves in one photomultiplier is our reading).
    """
    energies = _planes(view)
    if not plane.isdecimal() or int(plane) >= energies.shape[1]:
        raise ConfigError(f"VETO has no plane '{plane}'; it has 0 to {energies.shape[1] - 1}")
    return energies[:, int(plane)]


def veto_plane_max(view: EventView) -> Floats:
    """Largest energy of the VETO planes, GeV; see `veto_plane`."""
    return np.asarray(_planes(view).max(axis=1))


def _planes(view: EventView) -> Floats:
    """Return the energy of each plane, ``[n_events, n_planes]`` GeV."""
    veto = view.detector(VETO)
    if not isinstance(veto, Counter) or veto.mip is None or veto.share is None:
        raise ConfigError(
            f"setup '{view.setup.name}', detector VETO: the keys 'mip' and 'share' of a counter are needed for the "
            "energies of its planes"
        )
    pair = view.cells(VETO).reshape(len(view), veto.n_channels // 2, 2) / veto.share.value
    low, high = pair.min(axis=2), pair.max(axis=2)
    balanced = np.sqrt(np.clip(low, 0, None) * np.clip(high, 0, None))
    energy: Floats = np.where(low < LOPSIDED * veto.mip.value, high, balanced)
    return energy
