"""Energy inside and outside the time window of the event.

A cell is in time within 4 sigma of its detector around the reference time (physics.md 2.1 step 1
[V-code]). The reference is the column ``master_time`` of the events or, without one, the
energy-weighted mean time of the ECAL cells. A cell without a measured time counts as in time; an event
with energy in a detector but no time at all there is undefined.
"""

import numpy as np

from na64ml.errors import ConfigError
from na64ml.selection.ecal import ECAL, ecal_energy, ratio
from na64ml.selection.hcal import HCAL, ON_AXIS_MODULES, hcal_energy
from na64ml.selection.view import EventView, Floats, sum_cells

WINDOW = 4.0
"""Half-width of the time window in sigma (physics.md 2.1 step 1 [V-code])."""

MASTER_TIME = "master_time"
"""Column with the trigger time, ns (physics.md 7.1 ``masterTime``)."""


def reference_time(view: EventView) -> Floats:
    """Time of the event, ns: master time, else the energy-weighted ECAL time (physics.md 7.1)."""
    if MASTER_TIME in view.batch.columns:
        return view.column(MASTER_TIME)
    cells, times = view.cells(ECAL), view.times(ECAL)
    weight = np.where(np.isnan(times), 0.0, np.clip(cells, 0, None))
    return ratio(sum_cells(weight * np.nan_to_num(times)), sum_cells(weight))


def ecal_in_time_energy(view: EventView) -> Floats:
    """Energy of the ECAL cells within 4 sigma of the reference time, GeV (physics.md 2.1 step 1)."""
    return ecal_energy(view) - ecal_out_of_time_energy(view)


def ecal_out_of_time_energy(view: EventView) -> Floats:
    """Energy of the ECAL cells outside 4 sigma of the reference time, GeV (physics.md 2.1 step 1)."""
    return _out_of_time(view, ECAL, view.detector(ECAL).shape[0])


def hcal_in_time_energy(view: EventView) -> Floats:
    """Energy of the on-axis HCAL cells within 4 sigma of the reference time, GeV (physics.md 2.1 step 1)."""
    return hcal_energy(view) - hcal_out_of_time_energy(view)


def hcal_out_of_time_energy(view: EventView) -> Floats:
    """Energy of the on-axis HCAL cells outside 4 sigma of the reference time, GeV (physics.md 2.1 step 1)."""
    return _out_of_time(view, HCAL, ON_AXIS_MODULES)


def _out_of_time(view: EventView, name: str, n_segments: int) -> Floats:
    sigma = view.detector(name).time_sigma
    if sigma is None:
        raise ConfigError(f"setup '{view.setup.name}', detector {name}: key 'time_sigma' is needed for time windows")
    cells, times = view.cells(name)[:, :n_segments], view.times(name)[:, :n_segments]
    reference = reference_time(view)
    late = np.abs(times - reference[:, None, None, None]) > WINDOW * sigma.value
    energy = sum_cells(np.where(late, cells, 0.0))
    no_time = np.isnan(times).all(axis=(1, 2, 3)) | np.isnan(reference)
    return np.where(no_time & (cells != 0).any(axis=(1, 2, 3)), np.nan, energy)
