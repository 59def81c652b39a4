"""Energies and topology in the HCAL (modules 0-2 on the beam axis) and in the hollow VHCAL."""

import numpy as np

from na64ml.errors import ConfigError
from na64ml.selection.ecal import ratio
from na64ml.selection.view import EventView, Floats, sum_cells

HCAL = "HCAL"
VHCAL = "VHCAL"

ON_AXIS_MODULES = 3
"""HCAL modules 0, 1 and 2 are on the beam axis, 3 is at zero degrees (physics.md 1.3 [V-code])."""

PERIPHERY_THRESHOLD = 0.5
"""GeV above which a peripheral HCAL cell counts (physics.md 2.1 step 10 [V-code])."""

MUON_LAST_MODULE = 2.0
"""GeV in HCAL2 that make an event muon-like by itself (physics.md 2.1 step 9 [V-code])."""

MUON_CENTRE = 1.5
"""GeV in the central cells of HCAL0 and HCAL1 of a muon-like event (physics.md 2.1 step 9 [V-code])."""

MUON_LAST_MODULE_WITH_CENTRE = 1.3
"""GeV in HCAL2 that go with `MUON_CENTRE` (physics.md 2.1 step 9 [V-code])."""


def hcal_energy(view: EventView) -> Floats:
    """Energy in the on-axis HCAL modules 0-2: sum of cells, GeV (physics.md 2.1 step 12 [V-seed])."""
    return sum_cells(_on_axis(view))


def hcal_module(view: EventView, module: str) -> Floats:
    """Energy in one HCAL module (``hcal_module:2``; counted from 0), GeV."""
    return sum_cells(view.cells(HCAL)[:, _module(view, module)])


def hcal_centre(view: EventView, module: str) -> Floats:
    """Energy in the central cell of one HCAL module (``hcal_centre:0``; counted from 0), GeV."""
    view.require("HCAL.cells")
    return _centre(view.cells(HCAL))[:, _module(view, module)]


def rhcal(view: EventView) -> Floats:
    """Share of on-axis HCAL energy outside the central cells, (E_tot - E_central) / E_tot.

    physics.md 2.3 [V-code]. Undefined without HCAL energy.
    """
    total = hcal_energy(view)
    return ratio(total - hcal_centre_energy(view), total)


def hcal_centre_energy(view: EventView) -> Floats:
    """Energy in the central cells of the on-axis HCAL modules, GeV."""
    view.require("HCAL.cells")
    return sum_cells(_centre(_on_axis(view)))


def hcal_periphery_energy(view: EventView) -> Floats:
    """Energy in the non-central cells above 0.5 GeV of the on-axis HCAL modules, GeV.

    physics.md 2.1 step 10 [V-code].
    """
    view.require("HCAL.cells")
    cells = _on_axis(view).copy()
    _, _, nx, ny = cells.shape
    cells[:, :, nx // 2, ny // 2] = 0
    return sum_cells(np.where(cells > PERIPHERY_THRESHOLD, cells, 0.0))


def hcal_periphery(view: EventView) -> Floats:
    """1 if peripheral cells above 0.5 GeV exist and their sum exceeds the central cells, else 0.

    Marks hadron electroproduction (physics.md 2.1 step 10 [V-code]). The source does not say over which
    modules the sums run; here they run over the on-axis ones.
    """
    periphery = hcal_periphery_energy(view)
    return ((periphery > 0) & (periphery > hcal_centre_energy(view))).astype(np.float64)


def hcal_mip_like(view: EventView) -> Floats:
    """1 if the HCAL looks as if a muon crossed it, else 0 (physics.md 2.1 step 9 [V-code]).

    HCAL2 > 2 GeV, or central cells of HCAL0 and HCAL1 both > 1.5 GeV and HCAL2 > 1.3 GeV.
    """
    last = hcal_module(view, "2")
    through = (hcal_centre(view, "0") > MUON_CENTRE) & (hcal_centre(view, "1") > MUON_CENTRE)
    muon = (last > MUON_LAST_MODULE) | (through & (last > MUON_LAST_MODULE_WITH_CENTRE))
    return muon.astype(np.float64)


def vhcal_energy(view: EventView) -> Floats:
    """Energy in the hollow veto calorimeter before the ECAL: sum of cells, GeV (physics.md 2.1 step 8)."""
    return sum_cells(view.cells(VHCAL))


def _on_axis(view: EventView) -> Floats:
    return view.cells(HCAL)[:, :ON_AXIS_MODULES]


def _centre(cells: Floats) -> Floats:
    """Return the central cell of each module, ``[n_events, n_modules]`` GeV."""
    _, _, nx, ny = cells.shape
    return cells[:, :, nx // 2, ny // 2]


def _module(view: EventView, module: str) -> int:
    count = view.detector(HCAL).shape[0]
    if not module.isdecimal() or int(module) >= count:
        raise ConfigError(f"HCAL has no module '{module}' in setup '{view.setup.name}'; it has 0 to {count - 1}")
    return int(module)
