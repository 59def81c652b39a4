"""Signals in the VETO planes behind the ECAL, each read out by two photomultipliers."""

import numpy as np

from na64ml.errors import ConfigError
from na64ml.selection.view import EventView, Floats, sum_cells

VETO = "VETO"

LOPSIDED = 0.3
"""Fraction of a MIP below which one photomultiplier is taken as dead (physics.md 1.3 [V-code])."""


def veto_energy(view: EventView) -> Floats:
    """Sum of all VETO photomultipliers, GeV."""
    return sum_cells(view.cells(VETO))


def veto_plane(view: EventView, plane: str) -> Floats:
    """Amplitude of one VETO plane (``veto_plane:0``), GeV: sqrt(a1 a2) of its two photomultipliers.

    The larger of the two where one is below 0.3 MIP (physics.md 1.3 [V-code], "0.3 of scale"; that the
    scale is the MIP is our reading).
    """
    amplitudes = _planes(view)
    if not plane.isdecimal() or int(plane) >= amplitudes.shape[1]:
        raise ConfigError(f"VETO has no plane '{plane}'; it has 0 to {amplitudes.shape[1] - 1}")
    return amplitudes[:, int(plane)]


def veto_plane_max(view: EventView) -> Floats:
    """Largest amplitude of the VETO planes, GeV; see `veto_plane`."""
    return np.asarray(_planes(view).max(axis=1))


def _planes(view: EventView) -> Floats:
    """Return the amplitude of each plane, ``[n_events, n_planes]`` GeV."""
    scale = view.detector(VETO).mip
    if scale is None:
        raise ConfigError(f"setup '{view.setup.name}', detector VETO: key 'mip' is needed for plane amplitudes")
    pair = view.cells(VETO).reshape(len(view), view.detector(VETO).n_channels // 2, 2)
    low, high = pair.min(axis=2), pair.max(axis=2)
    balanced = np.sqrt(np.clip(low, 0, None) * np.clip(high, 0, None))
    amplitude: Floats = np.where(low < LOPSIDED * scale.value, high, balanced)
    return amplitude
