"""The analysis variables by name."""

import difflib
import inspect
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from na64ml.errors import ConfigError
from na64ml.selection import ecal, energy, hcal, identity, shower_shape, srd, timing, tracking, veto
from na64ml.selection.view import EventView, Floats

VARIABLES: dict[str, Callable[[EventView], Floats]] = {
    function.__name__: function
    for function in (
        ecal.ecal_energy,
        ecal.ecal_beam_fraction,
        ecal.prs_energy,
        ecal.prs_fraction,
        ecal.ecal_max_ix,
        ecal.ecal_max_iy,
        ecal.ecal_max_is_impact,
        ecal.ecal_max_fraction,
        ecal.ecal_neighbour_fraction,
        ecal.ecal_width_x,
        ecal.ecal_width_y,
        ecal.ecal_radius,
        ecal.shower_track_distance,
        shower_shape.shower_chi2,
        hcal.hcal_energy,
        hcal.hcal_centre_energy,
        hcal.rhcal,
        hcal.hcal_periphery_energy,
        hcal.hcal_periphery,
        hcal.hcal_mip_like,
        hcal.vhcal_energy,
        veto.veto_energy,
        veto.veto_plane_max,
        srd.srd_sum,
        srd.srd_min,
        srd.srd_second,
        srd.srd_max,
        timing.reference_time,
        timing.ecal_in_time_energy,
        timing.ecal_out_of_time_energy,
        timing.hcal_in_time_energy,
        timing.hcal_out_of_time_energy,
        tracking.track_momentum,
        tracking.track_angle,
        tracking.track_chi2,
        identity.bad_spill,
    )
}
"""Variables of the event, ``name``."""

FAMILIES: dict[str, Callable[[EventView, str], Floats]] = {
    function.__name__: function
    for function in (
        hcal.hcal_module,
        hcal.hcal_centre,
        veto.veto_plane,
        tracking.hits,
        tracking.spread,
        tracking.rms,
        tracking.residual,
        energy.energy,
        identity.column,
    )
}
"""Variables of one element of a detector, ``name:element``."""


_UNIT = re.compile(r", (GeV|mm|ns|rad)\b")


def compute(
    names: Iterable[str], view: EventView, extra: Mapping[str, NDArray[Any]] | None = None
) -> dict[str, Floats]:
    """Compute analysis variables.

    Parameters
    ----------
    names
        Such as ``ecal_energy`` or ``hits:ST03X``.
    view
        The events.
    extra
        Values ``[n_events]`` that are not made from the events, such as ``score``.

    Returns
    -------
    dict
        float64 ``[n_events]`` by name; NaN where a variable is undefined.

    Raises
    ------
    ConfigError
        If a name is unknown; the message lists the nearest known ones.
    AbsentInputError
        If the layout of the events does not provide what a variable needs.
    """
    extra = extra or {}
    return {
        name: np.asarray(extra[name], dtype=np.float64) if name in extra else _value(name, view, extra)
        for name in names
    }


def check_variable(name: str, extra: Collection[str] = ()) -> None:
    """Check that a variable name is known.

    Raises
    ------
    ConfigError
        If not; the message lists the nearest known ones.
    """
    family, _, element = name.partition(":")
    if name in VARIABLES or name in extra or (family in FAMILIES and element):
        return
    known = [*VARIABLES, *extra, *(f"{family}:..." for family in FAMILIES)]
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(known)}"
    raise ConfigError(f"unknown analysis variable '{name}'; {hint}")


def describe() -> dict[str, str]:
    """Return the first line of the documentation of every variable, by name."""
    functions = VARIABLES | {f"{name}:...": function for name, function in FAMILIES.items()}
    return {name: (inspect.getdoc(function) or "").splitlines()[0] for name, function in functions.items()}


def unit(name: str) -> str:
    """Return the unit of a variable as its documentation states it, empty for pure numbers."""
    family = name.partition(":")[0]
    found = _UNIT.search((inspect.getdoc((VARIABLES | FAMILIES)[family]) or "").splitlines()[0])
    return found.group(1) if found else ""


def _value(name: str, view: EventView, extra: Collection[str]) -> Floats:
    check_variable(name, extra)
    if name in VARIABLES:
        return VARIABLES[name](view)
    family, _, element = name.partition(":")
    return FAMILIES[family](view, element)
