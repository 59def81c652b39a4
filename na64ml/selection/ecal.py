"""Energies and shower shape in the ECAL.

Segment 0 is the preshower (PRS), segment 1 the main part; the shape is that of their sum. The ECAL of
the setup must have two segments (physics.md 1.3 [V-code]).
"""

import numpy as np

from na64ml.selection.view import EventView, Floats, sum_cells

ECAL = "ECAL"


def ecal_energy(view: EventView) -> Floats:
    """Energy in the whole ECAL, preshower included: sum of cells, GeV (physics.md 7.1 [V-code])."""
    return sum_cells(view.cells(ECAL))


def ecal_beam_fraction(view: EventView) -> Floats:
    """E_ECAL over the nominal beam energy of the run, for limits that hold for runs of any beam energy."""
    return ecal_energy(view) / view.beam_energy


def prs_energy(view: EventView) -> Floats:
    """Energy in the preshower, the first ECAL segment: sum of cells, GeV (physics.md 1.3 [V-code])."""
    return sum_cells(view.cells(ECAL)[:, 0])


def prs_fraction(view: EventView) -> Floats:
    """Preshower fraction E_PRS / E_ECAL (physics.md 5.2); undefined without ECAL energy."""
    return ratio(prs_energy(view), ecal_energy(view))


def ecal_max_ix(view: EventView) -> Floats:
    """Column of the ECAL cell with the largest energy (segments summed); undefined without ECAL energy."""
    return _max_cell(view)[:, 0]


def ecal_max_iy(view: EventView) -> Floats:
    """Row of the ECAL cell with the largest energy (segments summed); undefined without ECAL energy."""
    return _max_cell(view)[:, 1]


def ecal_max_is_impact(view: EventView) -> Floats:
    """1 if the largest ECAL cell is the one the beam hits, else 0 (physics.md 2.1 step 4 [V-code]).

    The impact cell is that of the run in the conditions. Undefined without ECAL energy.
    """
    cell = _max_cell(view)
    same = np.all(cell == view.impact_cell, axis=1).astype(np.float64)
    return np.where(np.isnan(cell[:, 0]), np.nan, same)


def ecal_max_fraction(view: EventView) -> Floats:
    """Largest ECAL cell over E_ECAL, segments summed (physics.md 5.3); undefined without ECAL energy."""
    return ratio(_towers(view).max(axis=(1, 2)), ecal_energy(view))


def ecal_neighbour_fraction(view: EventView) -> Floats:
    """Largest of the 8 neighbours of the largest ECAL cell over that cell; undefined without ECAL energy.

    The "narrow" veto rejects events below 0.01 (physics.md 2.1 step 11 [V-code]).
    """
    towers = _towers(view)
    cell = _max_cell(view)
    seen = ~np.isnan(cell[:, 0])
    ix, iy = np.where(seen[:, None], cell, 0).astype(np.int64).T
    padded = np.pad(towers, ((0, 0), (1, 1), (1, 1)))
    step_x, step_y = np.delete(np.indices((3, 3)).reshape(2, 9), 4, axis=1)
    event = np.arange(len(view))[:, None]
    neighbours = padded[event, ix[:, None] + step_x, iy[:, None] + step_y]
    return ratio(neighbours.max(axis=1), np.where(seen, towers.max(axis=(1, 2)), 0))


def ecal_width_x(view: EventView) -> Floats:
    """Energy-weighted rms of the cell positions in x, mm; undefined without ECAL energy."""
    return _widths(view)[:, 0]


def ecal_width_y(view: EventView) -> Floats:
    """Energy-weighted rms of the cell positions in y, mm; undefined without ECAL energy."""
    return _widths(view)[:, 1]


def ecal_radius(view: EventView) -> Floats:
    """Energy-weighted mean distance of the cells from the shower centroid, mm.

    Undefined without ECAL energy.
    """
    offset = _positions(view) - _centroid(view)[:, None, None, :]
    distance = np.hypot(offset[..., 0], offset[..., 1])
    return ratio((_towers(view) * distance).sum(axis=(1, 2)), ecal_energy(view))


def shower_track_distance(view: EventView) -> Floats:
    """Transverse distance of the ECAL energy centroid from the extrapolated track, mm.

    Undefined without ECAL energy. The centroid is a plain energy-weighted mean, so it is drawn to the
    centre of the largest cell by up to half a cell.
    """
    view.require("track.x", "track.y")
    offset = _centroid(view) - view.impact_point
    return np.hypot(offset[:, 0], offset[:, 1])


def ratio(part: Floats, whole: Floats) -> Floats:
    """Return ``part / whole``, undefined (NaN) where ``whole`` is not positive."""
    quotient = np.full(len(whole), np.nan)
    np.divide(part, whole, out=quotient, where=whole > 0)
    return quotient


def _towers(view: EventView) -> Floats:
    """Return cell energies summed over the segments, ``[n_events, nx, ny]`` GeV."""
    towers: Floats = view.cells(ECAL).sum(axis=1)
    return towers


def _positions(view: EventView) -> Floats:
    """Return the transverse cell centres, mm ``[nx, ny, 2]``."""
    detector = view.detector(ECAL)
    positions: Floats = detector.channels.position.reshape(*detector.shape, 3)[-1, ..., :2]
    return positions


def _max_cell(view: EventView) -> Floats:
    """Return column and row of the largest cell, ``[n_events, 2]``; NaN without ECAL energy."""
    view.require("ECAL.cells")
    towers = _towers(view)
    _, nx, ny = towers.shape
    flat = towers.reshape(len(view), nx * ny)
    cell = np.stack(np.unravel_index(flat.argmax(axis=1), (nx, ny)), axis=1).astype(np.float64)
    cell[~(flat.max(axis=1) > 0)] = np.nan
    return cell


def _centroid(view: EventView) -> Floats:
    """Return the energy-weighted mean position, mm ``[n_events, 2]``."""
    view.require("ECAL.cells")
    moment = np.einsum("nxy,xyk->nk", _towers(view), _positions(view))
    return np.stack([ratio(moment[:, axis], ecal_energy(view)) for axis in (0, 1)], axis=1)


def _widths(view: EventView) -> Floats:
    """Return the energy-weighted rms in x and y, mm ``[n_events, 2]``."""
    offset = _positions(view) - _centroid(view)[:, None, None, :]
    moment = np.einsum("nxy,nxyk->nk", _towers(view), offset**2)
    return np.sqrt(np.stack([ratio(moment[:, axis], ecal_energy(view)) for axis in (0, 1)], axis=1))
