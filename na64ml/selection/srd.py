"""Signals in the modules of the synchrotron radiation detector, which tell electrons from hadrons."""

import numpy as np

from na64ml.selection.view import EventView, Floats, sum_cells

SRD = "SRD"


def srd_sum(view: EventView) -> Floats:
    """Sum of the SRD modules, GeV (physics.md 1.3)."""
    return sum_cells(view.cells(SRD))


def srd_min(view: EventView) -> Floats:
    """Smallest SRD module, GeV: above a threshold, all modules are (physics.md 2.1 step 5 [V-code])."""
    return _ordered(view)[:, 0]


def srd_second(view: EventView) -> Floats:
    """Second smallest SRD module, GeV: below 80 MeV, two modules are (physics.md 2.1 step 5 [V-code])."""
    return _ordered(view)[:, 1]


def srd_max(view: EventView) -> Floats:
    """Largest SRD module, GeV: below a limit, all modules are (physics.md 2.1 step 5 [V-code])."""
    return _ordered(view)[:, -1]


def _ordered(view: EventView) -> Floats:
    """Return the modules in rising order, ``[n_events, n_modules]`` GeV."""
    return np.sort(view.cells(SRD), axis=1)
